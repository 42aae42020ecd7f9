import { describe, expect, it } from 'vitest';
import { Timeline } from './timeline.ts';

describe('Timeline', () => {
  it('counts each second on its own, those without anything too', () => {
    const timeline = new Timeline(1000);
    timeline.firstToken(1100, 40);
    timeline.firstToken(1200, 60);
    timeline.firstToken(1300, 50);
    for (const at of [1100, 1999, 3000]) timeline.chunk(at);
    timeline.done(3001);
    timeline.failed(3999.9);
    expect(timeline.moments(2)).toEqual([
      { second: 0, requestsPerSecond: 0, failuresPerSecond: 0, tokensPerSecond: 4, ttftMs: 50 },
      { second: 1, requestsPerSecond: 0, failuresPerSecond: 0, tokensPerSecond: 0, ttftMs: null },
      { second: 2, requestsPerSecond: 1, failuresPerSecond: 1, tokensPerSecond: 2, ttftMs: null },
    ]);
  });

  it('leaves out what came before the measuring', () => {
    const timeline = new Timeline(1000);
    timeline.chunk(999);
    expect(timeline.moments(1)).toEqual([]);
  });

  it('folds a long run into at most 300 moments, and keeps its sums', () => {
    const timeline = new Timeline(0);
    for (let second = 0; second < 3600; second++) timeline.chunk(second * 1000);
    const moments = timeline.moments(1);
    expect(moments).toHaveLength(300);
    expect(moments.every(({ tokensPerSecond }) => tokensPerSecond === 1)).toBe(true);
    expect(moments.at(-1)?.second).toBe(299 * 12);
  });
});
