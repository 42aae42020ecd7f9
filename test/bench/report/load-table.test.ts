import { describe, expect, it } from 'vitest';
import type { LoadReport } from '../generate-load.ts';
import { cpuPerRequest, requestsPerSecond } from './load-columns.ts';
import { loadTable } from './load-table.ts';

const report = (perSecond: number, cpuSeconds: number): LoadReport => ({
  ...{ seconds: 1, requests: perSecond, requestsPerSecond: perSecond, events: 0, eventsPerSecond: 0 },
  ...{ cpuSeconds, memoryMb: 0, peakMemoryMb: 0, upstreamCpuSeconds: 0, ownCpuSeconds: 0 },
  ...{ latencyMs: null, firstEventMs: null, gapMs: null },
});

describe('loadTable', () => {
  it('tells medians, ranges, and the median of the ratios within a round', () => {
    const rounds = {
      nginx: [report(1000, 0.01), report(2000, 0.02), report(4000, 0.04)],
      'llama-corral': [report(500, 0.01), report(500, 0.015), report(1200, 0.03)],
    };
    expect(loadTable([requestsPerSecond, cpuPerRequest], rounds).split('\n')).toEqual([
      '|  | requests/s | × nginx | CPU µs/request | × nginx |',
      '| --- | ---: | ---: | ---: | ---: |',
      '| nginx | 2,000 (1,000–4,000) | 1.00 | 10.0 | 1.00 |',
      '| llama-corral | 500 (500–1,200) | 0.30 | 25.0 | 2.50 |',
    ]);
  });
});
