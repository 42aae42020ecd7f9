import type { Report, StepReport, Summary } from '../../cli/bench/report.ts';
import { curveShares } from '../../cli/bench/report.ts';

/** A report of `corral bench` with round numbers. */
export function sampleReport(steps: readonly StepReport[]): Report {
  return {
    what: 'corral bench',
    version: 1,
    startedAt: '2026-11-21T00:00:00.000Z',
    endedAt: '2026-11-21T00:01:00.000Z',
    conditions: {
      url: 'http://127.0.0.1:8000/v1',
      path: 'chat',
      model: 'demo',
      stream: true,
      maxTokens: 128,
      body: {},
      prompts: null,
      durationMs: 10_000,
      requests: null,
      warmupMs: 2000,
      timeoutMs: 600_000,
      retries: 0,
      maxOpen: 10_000,
    },
    isInterrupted: false,
    steps: [...steps],
  };
}

export function sampleStep(concurrency = 4): StepReport {
  return {
    name: `concurrency ${concurrency}, prompt 16`,
    load: { kind: 'closed', concurrency },
    promptTokens: 16,
    seconds: 10,
    isPartial: false,
    requests: { done: 80, failed: 0, abandoned: 0, retries: 0, resent: 0 },
    requestsPerSecond: 8,
    tokensPerSecond: 1000,
    tokens: { input: 1280, output: 10_000, from: 'usage' },
    ttftMs: spreadAround(100),
    latencyMs: spreadAround(1000),
    itlMs: spreadAround(10),
    queueWaitMs: spreadAround(5),
    streamTokensPerSecond: spreadAround(250),
    errors: [],
    timeline: Array.from({ length: 10 }, (_, second) => ({
      second,
      requestsPerSecond: 8,
      failuresPerSecond: 0,
      tokensPerSecond: 1000,
      ttftMs: 100,
    })),
    client: { cpu: 0.1, loop: 0.1, lagMs: 1, wasBottleneck: false },
  };
}

function spreadAround(p50: number): Summary {
  return {
    count: 80,
    mean: p50,
    p50,
    p90: p50 * 1.4,
    p95: p50 * 1.5,
    p99: p50 * 2,
    max: p50 * 3,
    curve: curveShares.map((share) => p50 * (0.5 + share / 100)),
  };
}
