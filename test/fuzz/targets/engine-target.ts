import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import { writeDemoModel } from '../../../cli/demo-model/write-demo-model.ts';
import { validateRequest } from '../../../gateway/api/validate/validate-request.ts';
import { ApiError } from '../../../gateway/errors/api-error.ts';
import type { Backend } from '../../../health/backend.ts';
import { requestBackend } from '../../../health/request-backend.ts';
import { findEngine } from '../../../scripts/engine/find-engine.ts';
import type { InstalledEngine } from '../../../supervisor/engine/installed-engine.ts';
import { waitFor } from '../../harness/wait-for.ts';
import type { Subject, Target } from '../target.ts';

const cache = join(import.meta.dirname, '../../../.cache');
/** The most CPU time and time, ms, that one body may take: other requests wait that long. */
const MOST_WORK = 4000;
const PATIENCE = 8000;

const word = fc.constantFrom('a', 'x', '_', 'é', '', 'type', '$ref', 'a-b', 'default');
const count = fc.constantFrom(
  0,
  1,
  2,
  5,
  30,
  149,
  1999,
  2000,
  5000,
  -1,
  1.5,
  1e15,
  1e16,
  -1e16,
  2 ** 53,
  1e30,
);
const atom = fc.constantFrom(
  'a',
  '[a-z]',
  '.',
  '(a|b)',
  '(a?)',
  '\\.',
  '(a*b)',
  '"',
  '[^a]',
  'é',
  '(?:a)',
  '()',
);
const quantifier = fc.oneof(
  fc.constantFrom('', '?', '*', '+', '{5,1}', '{,3}', '{3,}', '{0,140}', '{ 2 , 1x}'),
  fc.tuple(count, count).map(([least, most]) => `{${least},${most}}`),
);
const expression = fc
  .array(fc.tuple(atom, quantifier), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.map((part) => part.join('')).join(''));
const pattern = fc
  .tuple(expression, quantifier, quantifier, fc.constantFrom(1, 2, 150, 700))
  .map(([inner, one, two, times]) => `^${`((${inner})${one})${two}`.repeat(times)}$`);
const { schema } = fc.letrec<{ schema: unknown }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'schema' },
    fc.record({ type: fc.constant('string'), pattern }),
    fc.record({ type: fc.constant('string'), minLength: count, maxLength: count }, { requiredKeys: [] }),
    fc.record(
      { type: fc.constant('integer'), minimum: count, maximum: count, exclusiveMinimum: count },
      { requiredKeys: ['type'] },
    ),
    fc.record({ enum: fc.array(word) }),
    fc.record({ $ref: fc.constantFrom('#', '#/', '#/$defs/a', '#/$defs/b', '#/properties/a', '#/default') }),
    fc.record({ type: fc.constantFrom<unknown>('object', 'array', ['object', 'null'], 'number', 5) }),
    fc.record({ items: tie('schema'), minItems: count, maxItems: count }, { requiredKeys: ['items'] }),
    fc.record(
      {
        type: fc.constantFrom<unknown>('object', ['object', 'array']),
        properties: fc.dictionary(word, tie('schema'), { maxKeys: 3 }),
        required: fc.array(word),
        additionalProperties: fc.oneof(fc.boolean(), tie('schema')),
        $defs: fc.record({ a: tie('schema'), b: tie('schema') }),
      },
      { requiredKeys: ['properties'] },
    ),
    fc
      .constantFrom('oneOf', 'anyOf', 'allOf')
      .chain((name) => fc.array(tie('schema'), { maxLength: 3 }).map((list) => ({ [name]: list }))),
  ),
}));
const grammarRule = fc
  .array(
    fc.tuple(
      fc.constantFrom('"a"', '[a-z]', 'root', 'a', 'b', '(a | "b")', '("a"?)', '<[5]>', '.'),
      quantifier,
    ),
    { maxLength: 4 },
  )
  .map((parts) => parts.map((part) => part.join('')).join(' '));
const gbnf = fc
  .tuple(grammarRule, grammarRule, grammarRule)
  .map(([root, a, b]) => `root ::= ${root}\na ::= ${a}\nb ::= ${b}\n`);
const number = fc.constantFrom(-1, 0, 1, 2, 0.5, 100, 1e6, 2 ** 31 - 1, 1e38, -1e38);
const sampling = fc.dictionary(
  fc.constantFrom(
    'top_k',
    'top_p',
    'min_p',
    'typical_p',
    'temperature',
    'dynatemp_range',
    'dynatemp_exponent',
    'mirostat',
    'mirostat_tau',
    'mirostat_eta',
    'xtc_probability',
    'xtc_threshold',
    'top_n_sigma',
    'repeat_penalty',
    'repeat_last_n',
    'dry_multiplier',
    'dry_base',
    'dry_penalty_last_n',
    'n_probs',
    'min_keep',
    'n_keep',
    'n_discard',
    'adaptive_target',
    'adaptive_decay',
  ),
  number,
  { maxKeys: 4 },
);
const chatBody = fc.record(
  {
    response_format: fc.record({ type: fc.constant('json_schema'), json_schema: fc.record({ schema }) }),
    tools: fc.array(
      fc.record({ type: fc.constant('function'), function: fc.record({ name: word, parameters: schema }) }),
      { maxLength: 2 },
    ),
    tool_choice: fc.constantFrom('auto', 'required', 'none'),
  },
  { requiredKeys: [] },
);
const body = fc.oneof(
  chatBody.map((fields) => ({ messages: [{ role: 'user', content: 'x' }], max_tokens: 5, ...fields })),
  fc
    .tuple(
      sampling,
      fc.option(gbnf, { nil: undefined }),
      fc.constantFrom(undefined, ['dry', 'top_k'], ['top_k', 'infill'], 'edskypmxt'),
    )
    .map(([fields, grammar, samplers]) => ({ prompt: 'x', max_tokens: 10, ...fields, grammar, samplers })),
  schema.map((json_schema) => ({ prompt: 'x', max_tokens: 5, json_schema })),
);

/**
 * A bare llama-server that receives whatever the gateway's validation accepts: a body that crashes it, hangs it or keeps
 * it busy is one that the validation misses. It is started again each time.
 */
export const engineTarget: Target = {
  name: 'engine',
  seeds: ['{"prompt":"x","max_tokens":5}', '{"messages":[{"role":"user","content":"x"}],"max_tokens":5}'],
  tokens: ['"minimum":', '"pattern":"^', '{5,1}', '"$ref":"#/', '::=', '(a?)'],
  grammar: body.map((fields) => JSON.stringify(fields)),
  open: openEngine,
};

async function openEngine(): Promise<Subject> {
  const engine = await findEngine({
    configured: process.env.LLAMA_SERVER_BIN,
    searchPath: process.env.PATH,
    cache,
  });
  if (!engine) throw new Error('there is no llama-server: run npm start once, which fetches one');
  const folder = mkdtempSync(join(tmpdir(), 'corral-fuzz-'));
  const model = join(folder, 'demo.gguf');
  await writeDemoModel(model);
  let server = await startBare(engine, folder, model);
  return {
    async try(input) {
      const fields = safeFields(input);
      if (fields === undefined) return;
      const before = server.work();
      const response = await requestBackend(server.backend, {
        path: 'messages' in fields ? '/v1/chat/completions' : '/v1/completions',
        body: input,
        timeoutMs: PATIENCE,
      });
      const spent = server.work() - before;
      const health = await requestBackend(server.backend, {
        path: '/v1/completions',
        body: { prompt: 'x', max_tokens: 1 },
        timeoutMs: PATIENCE,
      });
      if (health.outcome === 'responded' && response.outcome === 'responded' && spent < MOST_WORK) return;
      const exitReason = await server.end();
      server = await startBare(engine, folder, model);
      throw new Error(
        `the engine ${exitReason ?? (response.outcome === 'responded' ? 'was busy with it' : 'hung')}: a body that gateway/api/validate/ misses`,
      );
    },
    async [Symbol.asyncDispose]() {
      await server.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Undefined if it is no request, or one that the gateway would reject. */
function safeFields(input: Buffer): Record<string, unknown> | undefined {
  try {
    const fields = JSON.parse(input.toString()) as unknown;
    if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return undefined;
    validateRequest(fields as Record<string, unknown>);
    return fields as Record<string, unknown>;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof ApiError) return undefined;
    throw error;
  }
}

interface Bare {
  readonly backend: Backend;
  /** The CPU time used so far, ms. */
  work(): number;
  /** Stops it; resolves with how it had exited by itself, if it had. */
  end(): Promise<string | undefined>;
}

async function startBare(engine: InstalledEngine, folder: string, model: string): Promise<Bare> {
  const socketPath = join(folder, 'llama.sock');
  rmSync(socketPath, { force: true });
  const args = [
    '--host',
    socketPath,
    '--model',
    model,
    '--parallel',
    '1',
    '--ctx-size',
    '8192',
    '--threads',
    '1',
  ];
  const child = spawn(engine.command, [...engine.args, ...args, '--no-ui', '--cache-ram', '0'], {
    stdio: 'ignore',
  });
  const backend = { address: { origin: 'http://llama-server', socketPath }, apiKey: undefined };
  await waitFor('llama-server to be ready', async () => {
    const response = await requestBackend(backend, { path: '/health', timeoutMs: 1000 });
    return response.outcome === 'responded' && response.status === 200;
  });
  return { backend, work: () => workOf(child), end: () => exitCodeOf(child) };
}

/** From its counters of clock ticks, a hundred per second; 0 if it has exited. */
function workOf({ pid }: ChildProcess): number {
  try {
    const [, user = 0, system = 0] =
      /\) (?:\S+ ){11}(\d+) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.map(Number) ?? [];
    return (user + system) * 10;
  } catch {
    return 0;
  }
}

async function exitCodeOf(child: ChildProcess): Promise<string | undefined> {
  // It may exit a moment after its connections close.
  await Promise.race([once(child, 'exit'), sleep(1000)]);
  if (child.signalCode !== null || child.exitCode !== null)
    return `ended by ${child.signalCode ?? `code ${child.exitCode}`}`;
  child.kill('SIGKILL');
  await once(child, 'exit');
  return undefined;
}
