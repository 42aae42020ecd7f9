import { describe, expect, it } from 'vitest';
import { Quota } from './quota.ts';

describe('Quota', () => {
  it('measures what starts between the warm-up and the end', () => {
    const quota = new Quota({ from: 100, until: 200, requests: null });
    expect([0, 99, 100, 199, 200].map((at) => quota.next(at))).toEqual([
      'warm-up',
      'warm-up',
      'measured',
      'measured',
      'over',
    ]);
  });

  it('measures so many and no more, not counting the warm-up', () => {
    const quota = new Quota({ from: 100, until: Number.POSITIVE_INFINITY, requests: 2 });
    expect([50, 60, 110, 120, 130].map((at) => quota.next(at))).toEqual([
      'warm-up',
      'warm-up',
      'measured',
      'measured',
      'over',
    ]);
  });
});
