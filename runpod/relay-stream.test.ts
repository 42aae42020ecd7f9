import { describe, expect, it } from 'vitest';
import { relayStream } from './relay-stream.ts';

const pace = { intervalMs: 1, mostChars: 30 };
const event = (n: number) => `data: ${n}\n\n`;
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

async function* streamOf(count: number) {
  for (const n of numbers(count)) yield Buffer.from(event(n));
}

describe('a stream on its way into the queue', () => {
  it('arrives whole and in order, in fewer pieces than it has events', async () => {
    const posted: string[] = [];
    const { pieces, isBroken } = await relayStream(
      streamOf(50),
      async (piece) => void posted.push(piece),
      pace,
    );
    expect(posted.join('')).toBe(numbers(50).map(event).join(''));
    expect([pieces, isBroken]).toEqual([posted, false]);
    expect(posted.length).toBeLessThan(50);
    expect(Math.max(...posted.map(({ length }) => length))).toBeLessThanOrEqual(30);
  });

  it('is posted one piece at a time', async () => {
    let open = 0;
    const post = async () => {
      open += 1;
      expect(open).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 2));
      open -= 1;
    };
    await relayStream(streamOf(20), post, pace);
  });

  it('is posted at once at its begin, however long the interval', async () => {
    const gate = Promise.withResolvers<void>();
    async function* slow() {
      yield Buffer.from(event(1));
      await gate.promise;
      yield Buffer.from(event(2));
    }
    const posted: string[] = [];
    const post = async (piece: string) => {
      posted.push(piece);
      gate.resolve();
    };
    await relayStream(slow(), post, { intervalMs: 1_000_000, mostChars: 1000 });
    expect(posted).toEqual([event(1), event(2)]);
  });

  it('says where it broke off, and what it said before', async () => {
    async function* broken() {
      yield Buffer.from(event(1));
      throw new Error('gone');
    }
    expect(await relayStream(broken(), async () => {}, pace)).toEqual({
      pieces: [event(1)],
      error: undefined,
      isBroken: true,
    });
  });

  it('ends with the failure to post it', async () => {
    const refusal = new Error('no more');
    await expect(relayStream(streamOf(3), () => Promise.reject(refusal), pace)).rejects.toBe(refusal);
  });
});
