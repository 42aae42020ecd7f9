import { execa } from 'execa';
import type { Contender } from './contenders/start-contender.ts';
import { onCore } from './pinned-process.ts';
import { buildNative } from './stub-upstream.ts';

/** The requests that are sent to an endpoint. */
export interface Load {
  /** TOKENS:DELAY:BURST:WAIT, as native/stub-upstream.c reads it. */
  readonly model: string;
  readonly connections: number;
  readonly bodyBytes: number;
  /** Requests/s, however fast the responses are (open loop); 0: each connection sends the next request after the response (closed loop). */
  readonly rate?: number;
  /** Tokens of each stream; 0: responses in one piece. */
  readonly tokens?: number;
  /** `max_tokens` of the requests. */
  readonly maxTokens?: number;
}

export interface Duration {
  readonly warmupSeconds: number;
  readonly seconds: number;
  /** The maximum number of requests. */
  readonly requests?: number;
}

export interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** The measurements of the load generator after the warm-up. */
export interface LoadReport {
  readonly seconds: number;
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly events: number;
  readonly eventsPerSecond: number;
  /** CPU and memory of the contender. */
  readonly cpuSeconds: number;
  readonly memoryMb: number;
  readonly peakMemoryMb: number;
  readonly upstreamCpuSeconds: number;
  readonly ownCpuSeconds: number;
  readonly latencyMs: Quantiles | null;
  readonly firstEventMs: Quantiles | null;
  readonly gapMs: Quantiles | null;
}

/** What the load generator counted in a part of its time. */
export interface LoadWindow {
  readonly requests: number;
  readonly events: number;
  readonly cpuSeconds: number;
}

interface Failures {
  readonly failures: number;
  /** The first one. */
  readonly failure: string;
}

/** Puts one contender under one load. Throws if a response failed or was incomplete, because such measurements are worthless. */
export async function generateLoad(
  contender: Contender,
  load: Load,
  { warmupSeconds, seconds, requests = 0 }: Duration,
  upstreamPid: number,
): Promise<LoadReport> {
  const options = { warmup: warmupSeconds, seconds, requests, 'upstream-pid': upstreamPid };
  const { stdout } = await execa(...(await commandFor(contender, load, options)));
  const report = JSON.parse(stdout) as LoadReport & Failures;
  throwFailures(report);
  return report;
}

/** Puts one contender under one load and reports window by window, until the caller stops or the time is over. */
export async function* generateWindows(
  contender: Contender,
  load: Load,
  windowSeconds: number,
  maxSeconds: number,
): AsyncGenerator<LoadWindow, void> {
  const options = { warmup: 0, window: windowSeconds, seconds: maxSeconds };
  const [command, args] = await commandFor(contender, load, options);
  const generator = execa(command, args, { reject: false });
  try {
    for await (const line of generator) {
      const window = JSON.parse(line) as (LoadWindow | LoadReport) & Failures;
      throwFailures(window);
      if (!('requestsPerSecond' in window)) yield window;
    }
  } finally {
    generator.kill();
    await generator;
  }
}

/** Role, finish reason, usage and `[DONE]`, besides the tokens. */
const EXTRA_EVENTS = 4;

async function commandFor(
  { port, pid, headers, keyFile }: Contender,
  { model, connections, bodyBytes, rate = 0, tokens = 0, maxTokens = 512 }: Load,
  duration: Readonly<Record<string, number>>,
): Promise<[string, string[]]> {
  const options = {
    ...{ port, pid, model, connections, rate, body: bodyBytes, 'max-tokens': maxTokens },
    events: tokens === 0 ? 0 : tokens + EXTRA_EVENTS,
    ...(keyFile !== undefined && { keys: keyFile }),
    ...duration,
  };
  return onCore(1, await buildNative('load-generator'), [
    ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
    ...headers.flatMap((header) => ['--header', header]),
  ]);
}

function throwFailures({ failures, failure }: Failures): void {
  if (failures > 0) throw new Error(`${failures} responses failed; the first: ${failure}`);
}
