import { describe, expect, it } from 'vitest';
import type { LoadReport } from '../generate-load.ts';
import type { Figures } from './figures.ts';
import { goalsTable, verdict } from './goals-table.ts';

const quiet = { seconds: 1, requests: 1, events: 0, eventsPerSecond: 0, cpuSeconds: 0, memoryMb: 0 };
const report = (requestsPerSecond: number, p50 = 0): LoadReport => ({
  ...{ ...quiet, requestsPerSecond, peakMemoryMb: 50, upstreamCpuSeconds: 0, ownCpuSeconds: 0 },
  latencyMs: { count: 1, p50, p90: p50, p95: p50, p99: p50, max: p50 },
  ...{ firstEventMs: null, gapMs: null },
});
const taken = <T>(what: T) => ({ on: '2026-11-21', how: '1 round', what });
const figures: Figures = {
  loads: {
    'plain-1k': taken({ nginx: [report(1000)], 'llama-corral': [report(400)], Portkey: [report(100)] }),
    'one-connection': taken({
      direct: [report(1, 0.1)],
      nginx: [report(1, 0.2)],
      'llama-corral': [report(1, 0.22)],
    }),
  },
  checks: { unread: taken({ 'llama-corral': { 'memory growth MB': 70 } }) },
};

describe('goalsTable', () => {
  it('tells ratios, what is added to direct, and what was found, against both bounds', () => {
    const rows = goalsTable(figures).split('\n');
    expect(rows).toContain(
      '| requests/s, 1 KB, 64 connections, × nginx | ≥ 0.35 | ≥ 0.5 | 0.40 | met | – |  |',
    );
    expect(rows).toContain('| the same, × Portkey | ≥ 6 | ≥ 9 | 4.00 | missed | – |  |');
    expect(rows).toContain(
      "| added latency, one connection, p50, × nginx's | ≤ 1.7 | ≤ 1.25 | 1.20 | stretch | – |  |",
    );
    expect(rows).toContain(
      '| memory growth with 8 clients that never read 24 MB, MB | ≤ 64 | ≤ 35 | 70.0 | missed | – |  |',
    );
    expect(rows).toContain('| supervisor start → 204, ms | ≤ 300 | ≤ 150 | – |  | – |  |');
  });
});

describe('verdict', () => {
  it('is met where the bound itself is reached', () => {
    const goal = { figure: 'x', isLeast: false, must: 20, stretch: 5, of: () => 0 };
    expect([5, 20, 20.1, Number.NaN].map((value) => verdict(goal, value))).toEqual([
      'stretch',
      'met',
      'missed',
      '',
    ]);
  });
});
