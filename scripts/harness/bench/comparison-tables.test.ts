import { describe, expect, it } from 'vitest';
import { sampleStep } from '../sample-report.ts';
import { comparisonTable, median } from './comparison-tables.ts';

const round = (requestsPerSecond: number, cpuPerRequest: number) => ({
  report: { ...sampleStep(), requestsPerSecond },
  cpuPerRequest,
  cpuPerToken: cpuPerRequest / 10,
});
const load = { title: 'Plain', concurrency: 1, tokens: 1, delayMs: 0, isStream: false, promptBytes: 1 };

describe('comparisonTable', () => {
  it('tells medians, and the median of the ratios within a round', () => {
    const table = comparisonTable(load, [
      { contender: 'nginx', rounds: [round(1000, 10), round(2000, 10), round(4000, 10)] },
      { contender: 'llama-corral', rounds: [round(500, 20), round(500, 30), round(1200, 25)] },
    ]);
    expect(table.split('\n').slice(4)).toEqual([
      '| nginx | 2,000 | 1.00 | 1,000 | 2,000 | 10.0 | 1.00 |',
      '| llama-corral | 500 | 0.30 | 1,000 | 2,000 | 25.0 | 2.50 |',
      '',
    ]);
  });
});

describe('median', () => {
  it('is the middle one, or between the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });
});
