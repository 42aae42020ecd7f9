import { describe, expect, it } from 'vitest';
import { printable, printableJson } from './printable.ts';

const unsafe = [
  '\n',
  '\r',
  '\t',
  '\u0000',
  '\u001b[31m',
  '\u007f',
  '\u009b31m',
  '\u2028',
  '\u202e',
  '\u2066',
  '\ufeff',
];

describe('printable', () => {
  it.each(unsafe)('escapes %j', (text) => {
    const shown = printable(`a${text}b`);
    expect(shown).not.toContain(text.charAt(0));
    expect(shown).toMatch(/^a\\(?:[nrte]|u[\da-f]{4})(?:\[?31m)?b$/);
  });

  it('does not change words of any script', () => {
    const text = 'naïve ключ 鍵 🔑 a=b "c" \\';
    expect(printable(text)).toBe(text);
  });
});

describe('printableJson', () => {
  it.each(unsafe)('keeps the meaning of JSON with %j', (text) => {
    const line = JSON.stringify({ msg: `a${text}b 鍵 🔑` });
    expect(JSON.parse(printableJson(line))).toEqual(JSON.parse(line));
    expect(printableJson(line)).not.toContain(text.charAt(0));
  });
});
