import { describe, expect, it } from 'vitest';
import { ApiError } from '../../errors/api-error.ts';
import { readByteRange } from './byte-range.ts';

const etag = '"file-1"';
const rangeOf = (range: string | undefined, ifRange?: string) =>
  readByteRange({ range, ...(ifRange !== undefined && { 'if-range': ifRange }) }, 10, etag);

describe('the bytes that a request wants', () => {
  it.each([
    ['bytes=0-3', { offset: 0, length: 4 }],
    ['bytes=4-4', { offset: 4, length: 1 }],
    ['bytes=4-', { offset: 4, length: 6 }],
    ['bytes=4-99', { offset: 4, length: 6 }],
    ['bytes=-3', { offset: 7, length: 3 }],
    ['bytes=-99', { offset: 0, length: 10 }],
    ['BYTES= 0-3 ', { offset: 0, length: 4 }],
    [`bytes=0-${'9'.repeat(40)}`, { offset: 0, length: 10 }],
  ])('are a part: %s', (range, part) => {
    expect(rangeOf(range)).toEqual(part);
  });

  it.each([
    [undefined],
    ['bytes=3-0'],
    ['bytes=0-3,5-6'],
    ['bytes=-'],
    ['bytes='],
    ['bytes=a-b'],
    ['bytes=0x1-3'],
    ['lines=0-3'],
    ['0-3'],
  ])('are all of them, as RFC 9110 wants it for what is no single range: %s', (range) => {
    expect(rangeOf(range)).toBeUndefined();
  });

  it.each([['bytes=10-'], ['bytes=10-12'], ['bytes=-0'], [`bytes=${'9'.repeat(40)}-`]])(
    'do not exist: %s',
    (range) => {
      const reject = () => rangeOf(range);
      expect(reject).toThrow(ApiError);
      expect(reject).toThrow(
        expect.objectContaining({ status: 416, headers: { 'content-range': 'bytes */10' } }),
      );
    },
  );

  it('are a part of the same content only', () => {
    expect(rangeOf('bytes=0-3', etag)).toEqual({ offset: 0, length: 4 });
    for (const other of ['"file-2"', `W/${etag}`, 'Sun, 29 Nov 2026 10:00:00 GMT'])
      expect([other, rangeOf('bytes=0-3', other)]).toEqual([other, undefined]);
    expect(rangeOf('bytes=20-', '"file-2"')).toBeUndefined();
  });
});
