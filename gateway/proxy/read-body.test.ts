import { describe, expect, it } from 'vitest';
import { BodyChunks } from './read-body.ts';

function collected(text: Buffer, sizes: readonly number[]): Buffer {
  const chunks = new BodyChunks();
  let at = 0;
  for (const size of sizes) {
    chunks.add(text.subarray(at, at + size));
    at += size;
  }
  chunks.add(text.subarray(at));
  expect(chunks.length).toBe(text.length);
  return chunks.toBuffer();
}

describe('a body that arrives', () => {
  const text = Buffer.from(Array.from({ length: 300_000 }, (_, n) => n % 251));

  it.each([
    ['in one chunk', []],
    ['in single bytes', new Array(1000).fill(1)],
    ['in large chunks', [70_000, 70_000]],
    ['in chunks small and large', [1, 5000, 3, 3, 2047, 2048, 100_000, 1]],
    ['in chunks that fill blocks', new Array(140).fill(2047)],
  ])('%s is the same', (_, sizes) => {
    expect(collected(text, sizes).equals(text)).toBe(true);
  });

  it('without chunks is empty', () => {
    expect(new BodyChunks().toBuffer().length).toBe(0);
  });
});

it('a body takes little more memory than its bytes, however small its chunks', () => {
  const chunks = new BodyChunks();
  const one = Buffer.from('x');
  globalThis.gc?.();
  const before = process.memoryUsage();
  for (let n = 0; n < 2_000_000; n++) chunks.add(one);
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  // Buffers of their own would take 200 MB.
  expect(heapUsed - before.heapUsed + (arrayBuffers - before.arrayBuffers)).toBeLessThan(50_000_000);
  expect(chunks.toBuffer().length).toBe(2_000_000);
});
