import { describe, expect, it } from 'vitest';
import { measureInRounds, measureUndisturbed, median, medianRatio, readCpuTimes } from './rounds.ts';

describe('measureInRounds', () => {
  /** Returns the rounds of each item, and what happened in order. */
  async function measureAll(items: string[], roundsOf: (item: string) => number, failing = '') {
    const order: string[] = [];
    const results = await measureInRounds(items, {
      roundsOf,
      warmUp: async (item) => order.push(`${item} warms up`),
      measure: async (item, round) => {
        order.push(item + round);
        if (item + round === failing) throw new Error('cut short');
        return round;
      },
      onFailure: (item, error) => order.push(`${item}: ${error}`),
    });
    return { order, results: Object.fromEntries(results) };
  }

  it('warms all up and starts each round with another item', async () => {
    const { order, results } = await measureAll(['a', 'b', 'c'], () => 2);
    expect(order.slice(0, 3)).toEqual(['a warms up', 'b warms up', 'c warms up']);
    expect(order.slice(3)).toEqual(['b1', 'c1', 'a1', 'c2', 'a2', 'b2']);
    expect(results).toEqual({ a: [1, 2], b: [1, 2], c: [1, 2] });
  });

  it('measures an item in fewer rounds than the others', async () => {
    const { results } = await measureAll(['a', 'b'], (item) => (item === 'a' ? 1 : 3));
    expect(results).toEqual({ a: [1], b: [1, 2, 3] });
  });

  it('leaves out an item that fails and reports it', async () => {
    const { order, results } = await measureAll(['a', 'b'], () => 3, 'b2');
    expect(results).toEqual({ a: [1, 2, 3] });
    expect(order).toContain('b: Error: cut short');
    expect(order).not.toContain('b3');
  });
});

describe('median', () => {
  it('is the middle value or the mean of the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });
});

describe('medianRatio', () => {
  it('is the median of the ratios within a round', () => {
    expect(medianRatio([500, 500, 1200], [1000, 2000, 4000])).toBe(0.3);
  });

  it('ignores a round in which one of them did nothing', () => {
    expect(medianRatio([500, Number.POSITIVE_INFINITY, 0, 600], [1000, 2000, 500, 0])).toBe(0.5);
  });

  it('is NaN if there is nothing to compare with', () => {
    expect(medianRatio([500], [])).toBeNaN();
  });
});

describe('measureUndisturbed', () => {
  /** Measures 1, 2, 3 …, each in 100 ticks, of which the given number is stolen. */
  function measureOnMachine(stolen: readonly number[]) {
    let [times, count] = [{ all: 0, stolen: 0 }, 0];
    const disturbed: number[] = [];
    const result = measureUndisturbed(
      async () => {
        times = { all: times.all + 100, stolen: times.stolen + (stolen[count] ?? 0) };
        count += 1;
        return count;
      },
      (share) => disturbed.push(share),
      () => times,
    );
    return { result, disturbed };
  }

  it('measures once if no time is stolen', async () => {
    const { result, disturbed } = measureOnMachine([3]);
    expect(await result).toBe(1);
    expect(disturbed).toEqual([]);
  });

  it('measures again until it is undisturbed', async () => {
    const { result, disturbed } = measureOnMachine([50, 20, 1]);
    expect(await result).toBe(3);
    expect(disturbed).toEqual([0.5, 0.2]);
  });

  it('returns the least disturbed result if all are disturbed', async () => {
    const { result, disturbed } = measureOnMachine([50, 20, 9, 30, 40, 60]);
    expect(await result).toBe(3);
    expect(disturbed).toHaveLength(6);
  });
});

describe('readCpuTimes', () => {
  it('reads the format of Linux and returns zeros for an empty text', () => {
    expect(readCpuTimes('cpu  10 1 20 300 4 5 6 70 8 9\ncpu0 1 2 3\n')).toEqual({ all: 416, stolen: 70 });
    expect(readCpuTimes('')).toEqual({ all: 0, stolen: 0 });
  });
});
