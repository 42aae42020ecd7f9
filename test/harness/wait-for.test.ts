import { describe, expect, it } from 'vitest';
import { waitFor } from './wait-for.ts';

describe('waitFor', () => {
  it('returns the first truthy result', async () => {
    let checks = 0;
    const third = await waitFor('the third check', () => ++checks === 3 && `check ${checks}`, { every: 1 });
    expect(third).toBe('check 3');
  });

  it('names what it waited for and the last error', async () => {
    const waiting = waitFor('the moon', () => Promise.reject(new Error('clouds')), { within: 5, every: 1 });
    await expect(waiting).rejects.toMatchObject({
      message: 'waited 5 ms for the moon',
      cause: new Error('clouds'),
    });
  });

  it('fails if the result stays falsy', async () => {
    await expect(waitFor('nothing', () => undefined, { within: 5, every: 1 })).rejects.toThrow('nothing');
  });
});
