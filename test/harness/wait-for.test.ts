import { describe, expect, it } from 'vitest';
import { waitFor } from './wait-for.ts';

describe('waitFor', () => {
  it('returns the first truthy answer', async () => {
    let looks = 0;
    const third = await waitFor('the third look', () => ++looks === 3 && `look ${looks}`, { every: 1 });
    expect(third).toBe('look 3');
  });

  it('names what it waited for, and why it never came', async () => {
    const waiting = waitFor('the moon', () => Promise.reject(new Error('clouds')), { within: 5, every: 1 });
    await expect(waiting).rejects.toMatchObject({
      message: 'waited 5 ms in vain for the moon',
      cause: new Error('clouds'),
    });
  });

  it('gives up on an answer that stays falsy', async () => {
    await expect(waitFor('nothing', () => undefined, { within: 5, every: 1 })).rejects.toThrow('nothing');
  });
});
