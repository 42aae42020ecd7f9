import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventBuffer, nextPostDelay, relayStream } from './relay-stream.ts';

const pace = { intervalMs: 1, maxChars: 30 };
const event = (n: number) => `data: ${n}\n\n`;
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

async function* streamOf(count: number) {
  for (const n of numbers(count)) yield Buffer.from(event(n));
}

describe('a stream that is relayed to the queue', () => {
  it('arrives complete and in order, in fewer pieces than it has events', async () => {
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

  it('is posted at once at its start, however long the interval', async () => {
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
    await relayStream(slow(), post, { intervalMs: 1_000_000, maxChars: 1000 });
    expect(posted).toEqual([event(1), event(2)]);
  });

  it('is marked as broken if it ends early, with the pieces before', async () => {
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

  it('rejects with the failure to post it', async () => {
    const failure = new Error('no more');
    await expect(relayStream(streamOf(3), () => Promise.reject(failure), pace)).rejects.toBe(failure);
  });
});

const delayPace = { intervalMs: 200, maxChars: 1000 };
const after = (sinceLastMs: number, changes: object = {}) =>
  nextPostDelay({ pendingChars: 10, sinceLastMs, hasEnded: false, ...changes }, delayPace);

it('the first events are posted at once, the next ones together', () => {
  expect([after(Infinity), after(0), after(150), after(200), after(900)]).toEqual([0, 200, 50, 0, 0]);
});

it('a large piece, and the last one, are posted without delay', () => {
  expect(after(0, { pendingChars: 1000 })).toBe(0);
  expect(after(0, { hasEnded: true })).toBe(0);
});

const buffered = (...texts: readonly string[]) => {
  const events = new EventBuffer();
  for (const text of texts) events.add(Buffer.from(text));
  return events;
};

describe('a buffered stream', () => {
  it('is returned up to the end of the last complete event', () => {
    const events = buffered('data: 1\n\ndata: 2\n', '\ndata: 3');
    expect(events.pendingChars).toBe(18);
    expect(events.take(1000)).toBe('data: 1\n\ndata: 2\n\n');
    expect([events.pendingChars, events.take(1000)]).toEqual([0, '']);
  });

  it('is cut at the end of an event if it is too large', () => {
    const events = buffered('data: 1\n\ndata: 2\n\ndata: 3\n\n');
    expect([events.take(20), events.take(20)]).toEqual(['data: 1\n\ndata: 2\n\n', 'data: 3\n\n']);
    expect(buffered('data: 12345\n\n').take(1)).toBe('data: 12345\n\n');
  });

  it('leaves out keep-alives', () => {
    const events = buffered(
      ': keep-alive\n\n: queued 1 of 2\n\nevent: ping\ndata: {"type":"ping"}\n\nevent: a\ndata: 1\n\n: x\ndata: 2\n\n',
    );
    expect(events.take(1000)).toBe('event: a\ndata: 1\n\n: x\ndata: 2\n\n');
  });

  it('is unchanged, however its bytes are cut', () => {
    const text = fc.array(fc.string({ unit: 'grapheme' }).filter((line) => !/[\n\r]/.test(line)));
    fc.assert(
      fc.property(text, fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (lines, cuts) => {
        const stream = lines.map((line) => `data: ${line}\n\n`).join('');
        const bytes = Buffer.from(stream);
        const events = new EventBuffer();
        for (let at = 0; at < bytes.length; ) {
          const length = cuts.next().value ?? 1;
          events.add(bytes.subarray(at, at + length));
          at += length;
        }
        let taken = '';
        while (events.pendingChars > 0) taken += events.take(20);
        expect(taken).toBe(stream);
      }),
    );
  });
});

describe('an error in a stream', () => {
  it.each([
    ['data: {"error":{"message":"gone","code":"bad_gateway"}}\n\n', { message: 'gone', code: 'bad_gateway' }],
    ['event: error\ndata: {"type":"error","error":{"message":"gone"}}\n\n', { message: 'gone' }],
    ['event: error\ndata: {"type":"error","message":"gone"}\n\n', { type: 'error', message: 'gone' }],
  ])('is read from %j', (event, error) => {
    expect(buffered('data: {"a":1}\n\n', event).error).toEqual(error);
  });

  it.each([
    'data: {"choices":[{"delta":{"content":"event: error"}}]}\n\n',
    'data: [DONE]\n\n',
    'event: error\n\n',
  ])('is not in %j', (event) => expect(buffered(event).error).toBeUndefined());
});
