import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { replaceFile } from '../../fs/replace-file.ts';
import { UsageError } from '../run-command.ts';

/** Which shares of the values `curve` tells, in per cent. */
export const curveShares = [0, 1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99, 99.9, 100] as const;

const spread = z.object({
  count: z.number(),
  mean: z.number(),
  p50: z.number(),
  p90: z.number(),
  p95: z.number(),
  p99: z.number(),
  max: z.number(),
  /** One value for each of `curveShares`. */
  curve: z.array(z.number()),
});

const load = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('closed'), concurrency: z.number() }),
  z.object({ kind: z.literal('open'), rate: z.number(), arrivals: z.enum(['poisson', 'uniform']) }),
]);

const moment = z.object({
  /** Seconds since the measuring began. */
  second: z.number(),
  requestsPerSecond: z.number(),
  failuresPerSecond: z.number(),
  tokensPerSecond: z.number(),
  /** The median of the first tokens that came then, ms; null where none did. */
  ttftMs: z.number().nullable(),
});

const step = z.object({
  name: z.string(),
  load,
  /** The wanted length of the prompts; null where they come from a file. */
  promptTokens: z.number().nullable(),
  /** How long was measured. */
  seconds: z.number(),
  /** Broken off before its end. */
  isPartial: z.boolean(),
  requests: z.object({
    done: z.number(),
    failed: z.number(),
    /** Under way when it was broken off. */
    abandoned: z.number(),
    /** Sent again after the time that a refusal named. */
    retries: z.number(),
    /** Sent again as the server had closed the kept connection. */
    resent: z.number(),
  }),
  requestsPerSecond: z.number(),
  tokensPerSecond: z.number(),
  tokens: z.object({
    /** Sums over the requests that were done; null where the endpoint does not tell. */
    input: z.number().nullable(),
    output: z.number(),
    /** `counted`: one for each piece of a stream, as the endpoint tells no usage. */
    from: z.enum(['usage', 'counted']),
  }),
  /** From the intended start; null where there is nothing to tell. All in ms. */
  ttftMs: spread.nullable(),
  latencyMs: spread.nullable(),
  /** Between two pieces of a stream. */
  itlMs: spread.nullable(),
  queueWaitMs: spread.nullable(),
  /** Of single streams, from their first token on. */
  streamTokensPerSecond: spread.nullable(),
  errors: z.array(z.object({ kind: z.string(), count: z.number() })),
  timeline: z.array(moment),
  /** How busy this program itself was. */
  client: z.object({
    /** Of one core, 0 to 1 and a little more. */
    cpu: z.number(),
    /** The share of the time in which its one thread was at work. */
    loop: z.number(),
    /** How late its timers came, 99th percentile, ms. */
    lagMs: z.number(),
    wasBottleneck: z.boolean(),
  }),
});

const conditions = z.object({
  url: z.string(),
  path: z.enum(['chat', 'completions']),
  model: z.string(),
  stream: z.boolean(),
  maxTokens: z.number(),
  body: z.record(z.string(), z.unknown()),
  /** The file's name, and a fingerprint of what is in it; null for made ones. */
  prompts: z.string().nullable(),
  durationMs: z.number().nullable(),
  requests: z.number().nullable(),
  warmupMs: z.number(),
  timeoutMs: z.number(),
  retries: z.number(),
  maxOpen: z.number(),
});

const report = z.object({
  what: z.literal('corral bench'),
  version: z.literal(1),
  startedAt: z.string(),
  endedAt: z.string(),
  conditions,
  isInterrupted: z.boolean(),
  steps: z.array(step),
});

export type Summary = z.infer<typeof spread>;
export type Moment = z.infer<typeof moment>;
export type StepReport = z.infer<typeof step>;
export type Conditions = z.infer<typeof conditions>;
/** What `--json` prints and `--save`, `--resume` keep. */
export type Report = z.infer<typeof report>;

/** Throws an Error where `text` is no report, or one of another version. */
export function parseReport(text: string): Report {
  const parsed = report.safeParse(jsonOrUndefined(text));
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.');
  throw new Error(`not a report of this version of corral bench${where ? ` (invalid ${where})` : ''}`);
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** How the load is generated: a fixed number of clients, or a fixed rate of requests. */
export type Load = z.infer<typeof load>;

export type Arrivals = Extract<Load, { kind: 'open' }>['arrivals'];

/** One load with prompts of one length, measured on its own. */
export interface Step {
  /** Tells it from the other steps, and finds it again in an earlier report. */
  readonly name: string;
  readonly load: Load;
  /** The wanted length of made prompts; null where they come from a file. */
  readonly promptTokens: number | null;
}

/** Every load with every length of prompt: first all loads of the shortest prompts. */
export function planSteps(loads: readonly Load[], promptTokens: readonly number[] | null): Step[] {
  return (promptTokens ?? [null]).flatMap((tokens) =>
    loads.map((load) => ({ name: nameOf(load, tokens), load, promptTokens: tokens })),
  );
}

export function formatLoad(load: Load): string {
  if (load.kind === 'closed') return `concurrency ${load.concurrency}`;
  return `rate ${load.rate}/s${load.arrivals === 'uniform' ? ' uniform' : ''}`;
}

function nameOf(load: Load, tokens: number | null): string {
  return tokens === null ? formatLoad(load) : `${formatLoad(load)}, prompt ${tokens}`;
}

/** Undefined where there is none. */
export async function readReport(file: string): Promise<Report | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new UsageError(`${file} cannot be read (${error.code})`);
  });
  if (text === undefined) return undefined;
  try {
    return parseReport(text);
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
}

/** In one piece, or not at all. */
export async function writeReport(file: string, report: Report): Promise<void> {
  await replaceFile(file, `${file}.${process.pid}.new`, `${JSON.stringify(report, null, 2)}\n`);
}

/** The whole steps of an earlier run that was made under the same conditions. Throws where it was another run. */
export function stepsToKeep(
  { conditions: earlier, steps: measured }: Report,
  conditions: Conditions,
  steps: readonly Step[],
): StepReport[] {
  const other = (Object.keys(conditions) as (keyof Conditions)[]).filter(
    (name) => !isDeepStrictEqual(earlier[name], conditions[name]),
  );
  if (other.length > 0)
    throw new UsageError(
      `the run to resume differs in ${other.join(', ')}: use the same options, or another file`,
    );
  const wanted = new Set(steps.map(({ name }) => name));
  return measured.filter(({ name, isPartial }) => !isPartial && wanted.has(name));
}
