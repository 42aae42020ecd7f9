import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeBody } from './parse-body.ts';

const decode = (body: Buffer): string | undefined => {
  try {
    return decodeBody(body);
  } catch {
    return undefined;
  }
};

it('bytes are decoded exactly where they are UTF-8', () => {
  const pieces = [
    ...['', 'a', '"', 'é', '漢', '😀', '\ufffd', '\ufeff', '\u0000'].map((text) => [...Buffer.from(text)]),
    // Half of a pair, a form too long, a beginning, an end, more than there is.
    ...[[0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xe6, 0xbc], [0xbc], [0xff], [0xf4, 0x90, 0x80, 0x80]],
  ];
  const bytes = fc.oneof(
    fc.array(fc.constantFrom(...pieces)).map((all) => all.flat()),
    fc.array(fc.nat(255)),
  );
  fc.assert(
    fc.property(bytes, (all) => {
      const body = Buffer.from(all);
      const isText = body.length > 0 && isUtf8(body);
      expect(decode(body)).toBe(isText ? body.toString() : undefined);
    }),
  );
});
