import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { replaceFile } from '../../fs/replace-file.ts';
import { UsageError } from '../run-command.ts';

/** Shares of the values in `curve`, in per cent. */
export const curveShares = [0, 1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99, 99.9, 100] as const;

const summary = z.object({
  count: z.number(),
  mean: z.number(),
  p50: z.number(),
  p90: z.number(),
  p95: z.number(),
  p99: z.number(),
  max: z.number(),
  /** One value per entry of `curveShares`. */
  curve: z.array(z.number()),
});

const load = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('closed'), concurrency: z.number() }),
  z.object({ kind: z.literal('open'), rate: z.number(), arrivals: z.enum(['poisson', 'uniform']) }),
]);

const moment = z.object({
  /** Seconds since the start of the measurement. */
  second: z.number(),
  requestsPerSecond: z.number(),
  failuresPerSecond: z.number(),
  tokensPerSecond: z.number(),
  /** Median TTFT in this time, ms; null without any. */
  ttftMs: z.number().nullable(),
});

const step = z.object({
  name: z.string(),
  load,
  /** Length of synthetic prompts; null for prompts of a file. */
  promptTokens: z.number().nullable(),
  /** Measured time in seconds. */
  seconds: z.number(),
  /** Interrupted before its end. */
  isPartial: z.boolean(),
  requests: z.object({
    done: z.number(),
    failed: z.number(),
    /** Open when it was interrupted. */
    abandoned: z.number(),
    /** Sent again after Retry-After. */
    retries: z.number(),
    /** Sent again because the server had closed the kept-alive connection. */
    resent: z.number(),
  }),
  requestsPerSecond: z.number(),
  tokensPerSecond: z.number(),
  tokens: z.object({
    /** Sums over completed requests; null if the endpoint reports none. */
    input: z.number().nullable(),
    output: z.number(),
    /** `counted`: one per chunk of a stream, because the endpoint reports no usage. */
    from: z.enum(['usage', 'counted']),
  }),
  /** From the scheduled start; null without values. All in ms. */
  ttftMs: summary.nullable(),
  latencyMs: summary.nullable(),
  /** Between two chunks of a stream. */
  itlMs: summary.nullable(),
  queueWaitMs: summary.nullable(),
  /** The rates of single streams after their first token. */
  streamTokensPerSecond: summary.nullable(),
  errors: z.array(z.object({ kind: z.string(), count: z.number() })),
  timeline: z.array(moment),
  /** Load of this client. */
  client: z.object({
    /** Share of one core. */
    cpu: z.number(),
    /** Event loop utilization. */
    loop: z.number(),
    /** Delay of timers, 99th percentile, ms. */
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
  /** Name and digest of the prompts file; null for synthetic prompts. */
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

export type Summary = z.infer<typeof summary>;
export type Moment = z.infer<typeof moment>;
export type StepReport = z.infer<typeof step>;
export type Conditions = z.infer<typeof conditions>;
/** The content of `--json`, `--save` and `--resume`. */
export type Report = z.infer<typeof report>;

/** Throws an Error if `text` is not a report of this version. */
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

/** One load with prompts of one length. */
export interface Step {
  /** Identifies the step, also in an earlier report. */
  readonly name: string;
  readonly load: Load;
  /** Length of synthetic prompts; null for prompts of a file. */
  readonly promptTokens: number | null;
}

/** Every load with every prompt length, shortest prompts first. */
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

/** Undefined if the file does not exist. */
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

/** Atomically. */
export async function writeReport(file: string, report: Report): Promise<void> {
  await replaceFile(file, `${file}.${process.pid}.new`, `${JSON.stringify(report, null, 2)}\n`);
}

/** The finished steps of an earlier run under the same conditions. Throws if the conditions differ. */
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
