import { describe, expect, it } from 'vitest';
import { readGgufHead } from '../../test/harness/gguf-reader.ts';
import { ggufBytes } from './gguf-writer.ts';

describe('ggufBytes', () => {
  it('writes 8-bit values as blocks of 32 numbers of four bits', () => {
    const values = Int8Array.from({ length: 64 }, (_, place) => (place % 16) - 8);
    const bytes = ggufBytes({}, [{ name: 'table', shape: [32, 2], values }]);
    expect(readGgufHead(bytes).tensors).toEqual([{ name: 'table', shape: [32, 2] }]);
    const block = `003c${Array.from({ length: 16 }, (_, n) => n.toString(16).repeat(2)).join('')}`;
    expect(bytes.toString('hex')).toContain(`${block}${block}00000000`);
  });

  it('starts each tensor at a multiple of 32 bytes', () => {
    const first = { name: 'a', shape: [32], values: new Int8Array(32) };
    const bytes = ggufBytes({}, [first, { name: 'b', shape: [1], values: Float32Array.of(1) }]);
    expect(bytes.length % 32).toBe(0);
    expect(bytes.subarray(-32).readFloatLE()).toBe(1);
  });
});
