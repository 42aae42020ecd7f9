import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ResponseTail } from './relay.ts';

function tailOf(chunks: readonly Buffer[]): ResponseTail {
  const tail = new ResponseTail();
  for (const chunk of chunks) tail.add(chunk);
  return tail;
}

/** Every byte shows its position, roughly. */
const text = (length: number) =>
  Buffer.from(Array.from({ length }, (_, n) => 33 + ((n * 7 + (n >> 8)) % 90)));

describe('the ends of a stream', () => {
  it('are all of a short one, whatever its chunks', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(sizes, (lengths) => {
        const whole = text(lengths.reduce((sum, length) => sum + length, 0));
        const starts = lengths.map((_, n) => lengths.slice(0, n).reduce((sum, length) => sum + length, 0));
        const chunks = lengths.map((length, n) => whole.subarray(starts[n], (starts[n] ?? 0) + length));
        expect(tailOf(chunks).streamEnds()).toBe(whole.toString('latin1'));
      }),
    );
  });

  it('are its first 4 KiB and its last 16 KiB', () => {
    const [first, second] = [text(50_000), text(70_000)];
    const whole = tailOf([first, second]).streamEnds();
    expect(whole).toBe(first.toString('latin1', 0, 4096) + second.toString('latin1', 70_000 - 16_384));
    expect(tailOf([first]).streamEnds()).toBe(
      first.toString('latin1', 0, 4096) + first.toString('latin1', 50_000 - 16_384),
    );
    expect(tailOf([first, text(10)]).streamEnds()).toBe(
      first.toString('latin1', 0, 4096) +
        first.toString('latin1', 50_000 - 16_374) +
        text(10).toString('latin1'),
    );
  });

  it('are empty without a chunk', () => {
    expect(new ResponseTail().streamEnds()).toBe('');
  });
});

it('the last chunk decides how a response ends, also after many', () => {
  const done = Buffer.from('[DONE]');
  const piece = Buffer.from('piece');
  for (let count = 0; count < 12; count++) {
    const before = Array.from({ length: count }, () => piece);
    expect(tailOf([...before, Buffer.from('data: [DONE]')]).endsWith(done)).toBe(true);
    expect(tailOf([...before, done, piece]).endsWith(done)).toBe(false);
  }
  expect(new ResponseTail().endsWith(done)).toBe(false);
  expect(tailOf([Buffer.from('NE]')]).endsWith(done)).toBe(false);
});
