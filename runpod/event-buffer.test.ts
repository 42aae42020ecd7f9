import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventBuffer } from './event-buffer.ts';

const gathered = (...texts: readonly string[]) => {
  const events = new EventBuffer();
  for (const text of texts) events.add(Buffer.from(text));
  return events;
};

describe('a stream that is gathered', () => {
  it('is given away up to the end of the last whole event', () => {
    const events = gathered('data: 1\n\ndata: 2\n', '\ndata: 3');
    expect(events.waiting).toBe(18);
    expect(events.take(1000)).toBe('data: 1\n\ndata: 2\n\n');
    expect([events.waiting, events.take(1000)]).toEqual([0, '']);
  });

  it('is cut at the end of an event where it is too much at once', () => {
    const events = gathered('data: 1\n\ndata: 2\n\ndata: 3\n\n');
    expect([events.take(20), events.take(20)]).toEqual(['data: 1\n\ndata: 2\n\n', 'data: 3\n\n']);
    expect(gathered('data: 12345\n\n').take(1)).toBe('data: 12345\n\n');
  });

  it('leaves out the signs of life', () => {
    const events = gathered(
      ': keep-alive\n\n: queued 1 of 2\n\nevent: ping\ndata: {"type":"ping"}\n\nevent: a\ndata: 1\n\n: x\ndata: 2\n\n',
    );
    expect(events.take(1000)).toBe('event: a\ndata: 1\n\n: x\ndata: 2\n\n');
  });

  it('comes out as it went in, however its bytes are cut', () => {
    const text = fc.array(fc.string({ unit: 'grapheme' }).filter((line) => !/[\n\r]/.test(line)));
    fc.assert(
      fc.property(text, fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (lines, cuts) => {
        const whole = lines.map((line) => `data: ${line}\n\n`).join('');
        const bytes = Buffer.from(whole);
        const events = new EventBuffer();
        for (let at = 0; at < bytes.length; ) {
          const length = cuts.next().value ?? 1;
          events.add(bytes.subarray(at, at + length));
          at += length;
        }
        let taken = '';
        while (events.waiting > 0) taken += events.take(20);
        expect(taken).toBe(whole);
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
    expect(gathered('data: {"a":1}\n\n', event).error).toEqual(error);
  });

  it.each([
    'data: {"choices":[{"delta":{"content":"event: error"}}]}\n\n',
    'data: [DONE]\n\n',
    'event: error\n\n',
  ])('is not in %j', (event) => expect(gathered(event).error).toBeUndefined());
});
