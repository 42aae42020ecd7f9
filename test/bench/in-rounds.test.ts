import { describe, expect, it } from 'vitest';
import { inRounds } from './in-rounds.ts';

describe('inRounds', () => {
  it('begins each round with another one, and does not count the first', async () => {
    const asked: string[] = [];
    const measure = async (name: string, round: number) => {
      asked.push(name);
      return round;
    };
    const measured = await inRounds(['a', 'b', 'c'], 2, measure, () => {});
    expect(asked.join('')).toBe('abcbcacab');
    expect(Object.fromEntries(measured)).toEqual({ a: [1, 2], b: [1, 2], c: [1, 2] });
  });

  it('leaves out who fails, all of it, and says so', async () => {
    const failed: string[] = [];
    const measure = async (name: string, round: number) => {
      if (name === 'b' && round === 2) throw new Error('cut short');
      return round;
    };
    const measured = await inRounds(['a', 'b'], 3, measure, (name, error) =>
      failed.push(`${name}: ${error}`),
    );
    expect(Object.fromEntries(measured)).toEqual({ a: [1, 2, 3] });
    expect(failed).toEqual(['b: Error: cut short']);
  });
});
