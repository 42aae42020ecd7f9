import { describe, expect, it } from 'vitest';
import { BodyChunks } from './body-chunks.ts';

function gathered(text: Buffer, sizes: readonly number[]): Buffer {
  const pieces = new BodyChunks();
  let at = 0;
  for (const size of sizes) {
    pieces.add(text.subarray(at, at + size));
    at += size;
  }
  pieces.add(text.subarray(at));
  expect(pieces.length).toBe(text.length);
  return pieces.toBuffer();
}

describe('a body', () => {
  const text = Buffer.from(Array.from({ length: 300_000 }, (_, n) => n % 251));

  it.each([
    ['in one piece', []],
    ['in single bytes', new Array(1000).fill(1)],
    ['in large pieces', [70_000, 70_000]],
    ['in pieces small and large', [1, 5000, 3, 3, 2047, 2048, 100_000, 1]],
    ['in pieces that fill blocks', new Array(140).fill(2047)],
  ])('is the same %s', (_, sizes) => {
    expect(gathered(text, sizes).equals(text)).toBe(true);
  });

  it('of nothing is empty', () => {
    expect(new BodyChunks().toBuffer().length).toBe(0);
  });
});

it('takes little more room than its bytes, however small its pieces', () => {
  const pieces = new BodyChunks();
  const one = Buffer.from('x');
  globalThis.gc?.();
  const before = process.memoryUsage();
  for (let n = 0; n < 2_000_000; n++) pieces.add(one);
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  // As buffers of their own they would take 200 MB.
  expect(heapUsed - before.heapUsed + (arrayBuffers - before.arrayBuffers)).toBeLessThan(50_000_000);
  expect(pieces.toBuffer().length).toBe(2_000_000);
});
