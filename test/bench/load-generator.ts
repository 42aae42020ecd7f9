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

/** Role, finish reason, usage and `[DONE]`, besides the tokens. */
const EXTRA_EVENTS = 4;

/** Puts one contender under one load. Throws if a response failed or was incomplete, because such measurements are worthless. */
export async function generateLoad(
  { port, pid, headers, keyFile }: Contender,
  { model, connections, bodyBytes, rate = 0, tokens = 0, maxTokens = 512 }: Load,
  { warmupSeconds, seconds, requests = 0 }: Duration,
  upstreamPid: number,
): Promise<LoadReport> {
  const options = {
    ...{ port, pid, model, connections, rate, seconds, requests },
    ...{ body: bodyBytes, warmup: warmupSeconds, 'upstream-pid': upstreamPid, 'max-tokens': maxTokens },
    events: tokens === 0 ? 0 : tokens + EXTRA_EVENTS,
    ...(keyFile !== undefined && { keys: keyFile }),
  };
  const args = [
    ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
    ...headers.flatMap((header) => ['--header', header]),
  ];
  const { stdout } = await execa(...onCore(1, await buildNative('load-generator'), args));
  const report = JSON.parse(stdout) as LoadReport & { readonly failures: number; readonly failure: string };
  if (report.failures > 0)
    throw new Error(`${report.failures} responses failed; the first: ${report.failure}`);
  return report;
}
