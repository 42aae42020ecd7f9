import { existsSync } from 'node:fs';
import { keyFilePath } from '../../keys/key-file-path.ts';
import type { SupervisorConfig } from '../../supervisor/config.ts';

interface WelcomeOptions {
  readonly config: SupervisorConfig;
  /** The key created at this start, if any. Its secret is shown only now. */
  readonly firstKey: FirstKey | undefined;
  readonly isDemoModel: boolean;
}

/** The text that is shown when the first token has been generated. Every command in it can be copied. */
export function welcomeText({ config, firstKey, isDemoModel }: WelcomeOptions): string {
  const { settings, port, healthPort } = config;
  const host = config.host === '0.0.0.0' || config.host === '::' ? '127.0.0.1' : config.host;
  const origin = `http://${host}:${port}`;
  const base = `${origin}/v1`;
  const model = exampleModel(config);
  const parts = [
    `llama-corral is ready: an OpenAI-compatible API for ${modelsLine(config)}.`,
    table([
      ['base URL', base],
      ['API key', keyLine(config, firstKey)],
      ...(settings.AUTH_ENABLED ? [['key file', keyFileFor(config)] as const] : []),
      ...(settings.UI ? [['chat', `${origin}/chat`] as const] : []),
      ['dashboard', `${origin}/dashboard${settings.AUTH_ENABLED ? adminHint : ''}`],
      ['API reference', `${origin}/docs`],
      ['health', `http://${host}:${healthPort}/status`],
    ]),
    `Try it:\n${indent(curl(base, model, settings.AUTH_ENABLED ? firstKey : 'off'))}`,
    `With the OpenAI SDK (npm install openai):\n${indent(sdk(base, model, settings.AUTH_ENABLED ? firstKey : 'off'))}`,
    ...(isDemoModel ? [realModel] : []),
    'Press Ctrl-C to stop.',
  ];
  return `\n${parts.join('\n\n')}\n\n`;
}

/** The name in the examples, which are chats; a pinned model responds at once. */
function exampleModel({ models, settings }: Pick<SupervisorConfig, 'models' | 'settings'>): string {
  const chats = models?.registry.models.filter(({ kind }) => kind === 'chat') ?? [];
  const chosen = chats.find(({ pin }) => pin) ?? chats[0];
  return chosen?.id ?? settings.MODEL_ALIAS?.[0] ?? 'default';
}

function modelsLine({ models, settings }: Pick<SupervisorConfig, 'models' | 'settings'>): string {
  const ids = models?.registry.models.map(({ id }) => id) ?? [];
  return ids.length > 1
    ? `${ids.length} models: ${ids.join(', ')}`
    : `the model "${exampleModel({ models, settings })}"`;
}

const adminHint = '  (log in with a key from: npm run corral -- keys create me --scopes admin)';

const realModel = `This is the demo model, which has only a few stories. To serve a real model, stop and start again with one of
  MODEL_PATH=/path/to/model.gguf npm start
  HF_REPO=ggml-org/gemma-3-4b-it-GGUF npm start`;

function keyLine({ settings }: SupervisorConfig, firstKey: FirstKey | undefined): string {
  if (!settings.AUTH_ENABLED) return 'not required (AUTH_ENABLED=false)';
  if (firstKey) return `${firstKey.secret}  (shown only once: save it)`;
  return 'use one of yours, or create one: npm run corral -- keys create NAME';
}

type ShownKey = FirstKey | undefined | 'off';

/** If the secret is unknown, the example reads it from the environment. */
function curl(base: string, model: string, key: ShownKey): string {
  const secret = key === undefined ? '$CORRAL_API_KEY' : key === 'off' ? undefined : key.secret;
  const body = JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: 'Hello!' }] });
  return [
    ...(key === undefined ? ['export CORRAL_API_KEY=sk-...'] : []),
    `curl -N ${base}/chat/completions \\`,
    ...(secret === undefined ? [] : [`  -H "Authorization: Bearer ${secret}" \\`]),
    `  -H "Content-Type: application/json" \\`,
    `  -d '${body}'`,
  ].join('\n');
}

function sdk(base: string, model: string, key: ShownKey): string {
  const secret =
    key === undefined ? 'process.env.CORRAL_API_KEY' : `'${key === 'off' ? 'none' : key.secret}'`;
  return `import OpenAI from 'openai';
const client = new OpenAI({ baseURL: '${base}', apiKey: ${secret} });
const stream = await client.chat.completions.create({
  model: '${model}',
  stream: true,
  messages: [{ role: 'user', content: 'Hello!' }],
});
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta?.content ?? '');`;
}

function table(rows: readonly (readonly [string, string])[]): string {
  return rows.map(([name, value]) => `  ${name.padEnd(15)}${value}`).join('\n');
}

const indent = (text: string) => text.replaceAll(/^/gm, '  ');

interface FirstKey {
  /** Known only now. */
  readonly secret: string;
}

/**
 * Creates a key if there is no key file and keys are required; else returns undefined. The secret is shown before it
 * is saved: if this start is interrupted, the next one finds a key file. Throws a KeyFileError.
 */
export async function createFirstKey(
  { settings, dataDir }: SupervisorConfig,
  show: (text: string) => void,
): Promise<FirstKey | undefined> {
  if (!settings.AUTH_ENABLED || settings.API_KEYS !== undefined) return undefined;
  const file = keyFileFor({ settings, dataDir });
  if (existsSync(file)) return undefined;
  // Loaded only when needed: the schema of the key file would stay in the supervisor's memory.
  const { ensureFirstKey } = await import('../../keys/key-file.ts');
  return ensureFirstKey(file, ({ id, secret }) =>
    show(`\nFirst API key "${id}" (shown only once: save it):\n  ${secret}\n\n`),
  );
}

function keyFileFor({ settings, dataDir }: Pick<SupervisorConfig, 'settings' | 'dataDir'>): string {
  return keyFilePath({ AUTH_KEYS_FILE: settings.AUTH_KEYS_FILE, dataDir });
}
