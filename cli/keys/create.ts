import { Command, Option } from 'commander';
import { addKey, changeKey, findKey, rotateKey } from '../../keys/change-keys.ts';
import { keyDefaults, newKeyScopes, type Priority, priorities, type Scope } from '../../keys/key.ts';
import { updateKeyFile } from '../../keys/key-file.ts';
import { toRecord } from '../../keys/keys-json.ts';
import { createKey, type MintedKey } from '../../keys/secret.ts';
import { writeJson, writeStderr, writeStdout } from '../output.ts';
import { checkModels } from './check-models.ts';
import { formatTime } from './format-key.ts';
import {
  durationMs,
  expiry,
  fileOption,
  jsonOption,
  keyId,
  limit,
  nameList,
  resolveKeyFile,
  scopeList,
} from './options.ts';

interface CreateOptions {
  readonly file?: string;
  readonly json?: true;
  readonly quiet?: true;
  readonly scopes: readonly Scope[];
  readonly models: readonly string[];
  readonly rpm?: number;
  readonly tpm?: number;
  readonly tpd?: number;
  readonly concurrent?: number;
  readonly expires: number | null;
  readonly priority: Priority;
  readonly note: string;
}

const examples = `
Examples:
  corral keys create app                                 an inference key that never expires
  corral keys create batch --priority low --tpd 2000000  low priority, two million tokens per day
  corral keys create guest --expires 30d --rpm 20        20 requests per minute, for 30 days
  corral keys create ops --scopes metrics,admin          metrics and administration, no inference
  SECRET=$(corral keys create ci --quiet)                for scripts

With several models, --models takes their ids. The key uses an alias with those models of it that it may use.
The secret is printed once, to stdout. Only its SHA-256 is stored. A running gateway accepts the key within a second.`;

export function createCommand(): Command {
  return new Command('create')
    .description('create a key and print its secret once')
    .argument('<id>', 'id of the key: letters, digits, - and _', keyId)
    .addOption(
      new Option('--scopes <list>', 'comma-separated: inference, batch, native, metrics, admin')
        .argParser(scopeList)
        .default(newKeyScopes, newKeyScopes.join(',')),
    )
    .addOption(
      new Option('--models <list>', 'comma-separated models it may use; no aliases')
        .argParser(nameList)
        .default(keyDefaults.models, 'all'),
    )
    .option('--rpm <n>', 'requests per minute, 0 = unlimited (default: MAX_REQUESTS_PER_MINUTE)', limit)
    .option('--tpm <n>', 'tokens per minute, 0 = unlimited (default: MAX_TOKENS_PER_MINUTE)', limit)
    .option('--tpd <n>', 'tokens per UTC day, 0 = unlimited (default: unlimited)', limit)
    .option('--concurrent <n>', 'concurrent requests, 0 = unlimited (default: unlimited)', limit)
    .addOption(
      new Option('--expires <when>', '30d, 12h, an ISO date or time (UTC without an offset), or never')
        .argParser(expiry)
        .default(keyDefaults.expires, 'never'),
    )
    .addOption(
      new Option('--priority <p>', 'share of the turns while requests queue')
        .choices(priorities)
        .default(keyDefaults.priority),
    )
    .option('--note <text>', 'free text, such as who uses the key', keyDefaults.note)
    .addOption(fileOption())
    .addOption(jsonOption())
    .addOption(quietOption())
    .addHelpText('after', examples)
    .action(create);
}

async function create(id: string, options: CreateOptions): Promise<void> {
  const { rpm, tpm, tpd, concurrent, scopes, models, expires, priority, note } = options;
  const limits = { requestsPerMinute: rpm, tokensPerMinute: tpm, tokensPerDay: tpd, concurrent };
  const minted = createKey(id, { scopes, models, expires, priority, note, limits }, Date.now());
  const file = resolveKeyFile(options.file);
  const unknown = await checkModels(models);
  const { warnings } = await updateKeyFile(file, (keys) => addKey(keys, minted.key));
  printSecret(minted, [...unknown, ...warnings, `Created key "${id}" in ${file}.`], options);
}

function quietOption(): Option {
  return new Option('--quiet', 'print only the secret').conflicts('json');
}

/** Prints the secret. It is never shown again. */
function printSecret(
  { key, secret }: MintedKey,
  messages: readonly string[],
  { json, quiet }: { readonly json?: true; readonly quiet?: true },
): void {
  if (!quiet) for (const line of messages) writeStderr(line);
  if (json) {
    writeJson({ key: toRecord(key), secret });
  } else {
    if (!quiet) writeStderr('Secret (shown only once):');
    writeStdout(secret);
  }
}

interface RotateOptions {
  readonly file?: string;
  readonly json?: true;
  readonly quiet?: true;
  readonly overlap: number;
}

const rotateExamples = `
Examples:
  corral keys rotate app --overlap 24h   the old secret works for one more day
  corral keys rotate app                 the old secret stops working now

Id, scopes, limits and expiry stay the same. Only the latest old secret can overlap: a second rotation ends the one before.`;

export function rotateCommand(): Command {
  return new Command('rotate')
    .description('replace the secret of a key and print the new one once')
    .argument('<id>', 'id of the key')
    .option('--overlap <span>', 'how long the old secret keeps working, such as 24h', durationMs, 0)
    .addOption(fileOption())
    .addOption(jsonOption())
    .addOption(quietOption())
    .addHelpText('after', rotateExamples)
    .action(rotate);
}

async function rotate(id: string, options: RotateOptions): Promise<void> {
  const now = Date.now();
  const minted = createKey(id, {}, now);
  const { keys, warnings } = await updateKeyFile(resolveKeyFile(options.file), (there) =>
    changeKey(there, id, (key) => rotateKey(key, minted.key, options.overlap, now)),
  );
  const key = findKey(keys, id);
  const old = key.previous ? `works until ${formatTime(key.previous.validUntil, '')}` : 'no longer works';
  const messages = [...warnings, `Rotated key "${id}"; its old secret ${old}.`];
  if (key.disabled) messages.push(`The key is disabled; enable it with "corral keys enable ${id}".`);
  if (key.expires !== null && key.expires <= now) messages.push('The key has expired and does not work.');
  printSecret({ key, secret: minted.secret }, messages, options);
}
