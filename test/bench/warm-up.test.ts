import { describe, expect, it } from 'vitest';
import { costOf, requestsUntilWarm, spreadOfCosts } from './warm-up.ts';

/** Windows of 100 requests that cost these µs each. */
const windowsOf = (...costs: number[]) =>
  costs.map((cost) => ({ requests: 100, events: 0, cpuSeconds: (cost * 100) / 1e6 }));

describe('costOf', () => {
  it('counts events if there are any, else requests', () => {
    expect(costOf([{ requests: 10, events: 0, cpuSeconds: 0.001 }])).toBeCloseTo(100);
    expect(costOf([{ requests: 10, events: 1000, cpuSeconds: 0.001 }])).toBeCloseTo(1);
  });
});

describe('spreadOfCosts', () => {
  it('compares the last three spans', () => {
    expect(spreadOfCosts(windowsOf(900, 900, 110, 90, 100, 100, 105, 105), 2)).toBeCloseTo(0.05);
    expect(spreadOfCosts(windowsOf(900, 300, 100), 1)).toBeCloseTo(8);
  });

  it('is infinite before the end of the third span', () => {
    expect(spreadOfCosts(windowsOf(100, 100, 100, 100, 100), 2)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('requestsUntilWarm', () => {
  it('counts up to two windows in a row that are within 20 % of the final cost', () => {
    const windows = windowsOf(500, 119, 300, 120, 110, 100, 100);
    expect(requestsUntilWarm({ windows, finalCost: 100 })).toBe(300);
  });

  it('is zero for a contender that is warm from the start', () => {
    expect(requestsUntilWarm({ windows: windowsOf(101, 99, 100), finalCost: 100 })).toBe(0);
  });
});
