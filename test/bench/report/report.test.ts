import { describe, expect, it } from 'vitest';
import type { LoadReport } from '../load-generator.ts';
import { barChart } from './chart.ts';
import { goalsTable, verdict } from './goals-table.ts';
import { type BenchResults, REQUESTS_UNTIL_WARM } from './results.ts';
import { cpuPerRequest, loadTable, requestsPerSecond } from './tables.ts';

const report = (requestsPerSecond: number, { cpuSeconds = 0, latencyMs = 0 } = {}): LoadReport => ({
  ...{ seconds: 1, requests: requestsPerSecond, requestsPerSecond, events: 0, eventsPerSecond: 0 },
  ...{ cpuSeconds, memoryMb: 0, peakMemoryMb: 50, upstreamCpuSeconds: 0, ownCpuSeconds: 0 },
  latencyMs: {
    ...{ count: 1, p50: latencyMs, p90: latencyMs, p95: latencyMs, p99: latencyMs, max: latencyMs },
  },
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
  const dated = <T>(results: T) => ({ date: '2026-11-21', method: '1 round', results });
  const cost = (...costs: number[]) => costs.map((us) => report(1000, { cpuSeconds: us / 1000 }));

  it('compares each transport with the reference on the same transport, and shows the range of the rounds', () => {
    const plain = {
      reference: cost(100, 200),
      'reference, unix socket': cost(50),
      'llama-corral': cost(160, 280),
      'llama-corral, unix socket': cost(60),
    };
    const rows = goalsTable({ loads: { 'plain-1k': dated(plain) }, checks: {} }).split('\n');
    expect(rows).toContain(
      '| plain 1 KB, CPU ÷ reference | ≤ 1.5 | ≤ 1.25 | 1.50 (1.40–1.60) | met | 1.20 | stretch |',
    );
  });

  it('compares two loads, differences to direct, and findings with both bounds', () => {
    const results: BenchResults = {
      loads: {
        'plain-1k': dated({ 'llama-corral': cost(100) }),
        'plain-long': dated({ 'llama-corral': cost(160) }),
        'rate-100': dated({
          direct: [report(1, { latencyMs: 0.1 })],
          'llama-corral': [report(1, { latencyMs: 0.6 })],
        }),
      },
      checks: { unread: dated({ 'llama-corral': { 'memory growth MB': 70 } }) },
      warmUps: dated({ 'llama-corral': { [REQUESTS_UNTIL_WARM]: 1500 } }),
    };
    const rows = goalsTable(results).split('\n');
    expect(rows).toContain(
      '| plain, assembled from a stream of 20 events, CPU ÷ in one piece | ≤ 1.5 | ≤ 1.25 | 1.60 | missed | – |  |',
    );
    expect(rows).toContain('| P95 added at 100 requests/s, ms | ≤ 1 |  | 0.50 | met | – |  |');
    expect(rows).toContain(
      '| memory growth with 8 clients that never read 24 MB, MB | ≤ 64 | ≤ 35 | 70.0 | missed | – |  |',
    );
    expect(rows).toContain(
      '| warm-up: requests until within 20 % of the final cost | ≤ 5,000 | ≤ 2,000 | 1,500 | stretch | – |  |',
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
