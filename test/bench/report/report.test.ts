import { describe, expect, it } from 'vitest';
import type { LoadReport } from '../load-generator.ts';
import { barChart } from './chart.ts';
import { goalsTable, verdict } from './goals.ts';
import type { BenchResults } from './results.ts';
import { cpuPerRequest, loadTable, requestsPerSecond } from './tables.ts';

const report = (requestsPerSecond: number, { cpuSeconds = 0, p50 = 0 } = {}): LoadReport => ({
  ...{ seconds: 1, requests: requestsPerSecond, requestsPerSecond, events: 0, eventsPerSecond: 0 },
  ...{ cpuSeconds, memoryMb: 0, peakMemoryMb: 50, upstreamCpuSeconds: 0, ownCpuSeconds: 0 },
  latencyMs: { count: 1, p50, p90: p50, p95: p50, p99: p50, max: p50 },
  ...{ firstEventMs: null, gapMs: null },
});

describe('loadTable', () => {
  it('shows medians, ranges, and the median of the ratios within a round', () => {
    const results = {
      nginx: [
        report(1000, { cpuSeconds: 0.01 }),
        report(2000, { cpuSeconds: 0.02 }),
        report(4000, { cpuSeconds: 0.04 }),
      ],
      'llama-corral': [
        report(500, { cpuSeconds: 0.01 }),
        report(500, { cpuSeconds: 0.015 }),
        report(1200, { cpuSeconds: 0.03 }),
      ],
    };
    expect(loadTable([requestsPerSecond, cpuPerRequest], results).split('\n')).toEqual([
      '|  | requests/s | × nginx | CPU µs/request | × nginx |',
      '| --- | ---: | ---: | ---: | ---: |',
      '| nginx | 2,000 (1,000–4,000) | 1.00 | 10.0 | 1.00 |',
      '| llama-corral | 500 (500–1,200) | 0.30 | 25.0 | 2.50 |',
    ]);
  });
});

describe('goalsTable', () => {
  it('shows ratios, the difference to direct, and findings against both bounds', () => {
    const dated = <T>(results: T) => ({ date: '2026-11-21', method: '1 round', results });
    const results: BenchResults = {
      loads: {
        'plain-1k': dated({
          nginx: [report(1000)],
          'llama-corral': [report(400)],
          Portkey: [report(100)],
        }),
        'one-connection': dated({
          direct: [report(1, { p50: 0.1 })],
          nginx: [report(1, { p50: 0.2 })],
          'llama-corral': [report(1, { p50: 0.22 })],
        }),
      },
      checks: { unread: dated({ 'llama-corral': { 'memory growth MB': 70 } }) },
    };
    const rows = goalsTable(results).split('\n');
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
  it('is met if the value equals the bound', () => {
    const goal = { isLowerBound: false, must: 20, stretch: 5 };
    const verdicts = [5, 20, 20.1, Number.NaN].map((value) => verdict(goal, value));
    expect(verdicts).toEqual(['stretch', 'met', 'missed', '']);
  });
});

describe('barChart', () => {
  it('draws bars in proportion to the longest of their panel', () => {
    const bars = [
      { name: 'nginx', value: 200 },
      { name: 'llama-corral', value: 50 },
    ];
    const svg = barChart([{ title: 'requests/s', bars }]);
    const widths = [...svg.matchAll(/<rect x="190" y="\d+" width="([\d.]+)"/g)].map(([, width]) =>
      Number(width),
    );
    expect(widths).toHaveLength(2);
    expect(widths[0]).toBe(4 * (widths[1] ?? 0));
    expect(svg).toContain('>requests/s</text>');
  });
});
