import { describe, expect, it } from 'vitest';
import { ChunkedBody } from './chunked-body.ts';

describe('ChunkedBody', () => {
  const text = '5\r\nhello\r\n1A\r\nabcdefghijklmnopqrstuvwxy\n\r\n0\r\n\r\n';

  it('finds the end of a body that arrives at once', () => {
    expect(new ChunkedBody().endsWith(Buffer.from(text))).toBe(true);
  });

  it('finds the end wherever the body is split', () => {
    for (let at = 1; at < text.length; at++) {
      const body = new ChunkedBody();
      expect(body.endsWith(Buffer.from(text.slice(0, at)))).toBe(false);
      expect(body.endsWith(Buffer.from(text.slice(at)))).toBe(true);
    }
  });

  it('does not end inside of data that looks like the end', () => {
    expect(new ChunkedBody().endsWith(Buffer.from('7\r\n\r\n0\r\n\r\n\r\n'))).toBe(false);
  });
});
