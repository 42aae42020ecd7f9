import { execa } from 'execa';
import { buildNative } from './build-native.ts';
import type { Contender } from './contenders/contender.ts';
import { onCore } from './pinned.ts';

/** What is asked of an endpoint. */
export interface Load {
  /** TOKENS:DELAY:BURST:WAIT, as native/stub-upstream.c reads it. */
  readonly model: string;
  readonly connections: number;
  readonly bodyBytes: number;
  /** Requests/s, however fast the answers come (open loop); 0: each connection asks again as soon as it has its answer. */
  readonly rate?: number;
  /** Tokens of each stream; 0: answers in one piece. */
  readonly tokens?: number;
  /** What a request allows its answer, tokens. */
  readonly mostTokens?: number;
}

export interface Span {
  readonly warmupSeconds: number;
  readonly seconds: number;
  /** And no more requests than this. */
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

/** What the load generator tells of the time after the warm-up. */
export interface LoadReport {
  readonly seconds: number;
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly events: number;
  readonly eventsPerSecond: number;
  /** Of the contender. */
  readonly cpuSeconds: number;
  readonly memoryMb: number;
  readonly peakMemoryMb: number;
  readonly upstreamCpuSeconds: number;
  readonly ownCpuSeconds: number;
  readonly latencyMs: Quantiles | null;
  readonly firstEventMs: Quantiles | null;
  readonly gapMs: Quantiles | null;
}

/** Role, end, usage and the mark, besides the tokens. */
const FURTHER_EVENTS = 4;

/** One contender under one load. Throws where an answer failed or was not whole: such figures are worth nothing. */
export async function generateLoad(
  { port, pid, headers, keyFile }: Contender,
  { model, connections, bodyBytes, rate = 0, tokens = 0, mostTokens = 512 }: Load,
  { warmupSeconds, seconds, requests = 0 }: Span,
  upstreamPid: number,
): Promise<LoadReport> {
  const options = {
    ...{ port, pid, model, connections, rate, seconds, requests },
    ...{ body: bodyBytes, warmup: warmupSeconds, 'upstream-pid': upstreamPid, 'most-tokens': mostTokens },
    events: tokens === 0 ? 0 : tokens + FURTHER_EVENTS,
    ...(keyFile !== undefined && { keys: keyFile }),
  };
  const args = [
    ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
    ...headers.flatMap((header) => ['--header', header]),
  ];
  const { stdout } = await execa(...onCore(1, await buildNative('load-generator'), args));
  const report = JSON.parse(stdout) as LoadReport & { readonly failures: number; readonly failure: string };
  if (report.failures > 0) throw new Error(`${report.failures} answers failed; the first: ${report.failure}`);
  return report;
}
