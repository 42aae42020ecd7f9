import { describe, expect, it } from 'vitest';
import { repairArguments, repairInput } from './repair-json.ts';

/** The same values again and again, as a generator of its own would only be another thing to trust. */
function objects(count: number): object[] {
  let seed = 7;
  const next = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed % below;
  };
  const texts = ['', 'a', 'a "quoted" \\ text', '{[,:]}', 'é😀\n\t', ' ', '\\u12', 'tru', '1.0e'];
  const value = (depth: number): unknown => {
    const kind = next(depth > 3 ? 5 : 7);
    if (kind === 0) return next(1000) / 8 - 40;
    if (kind === 1) return texts[next(texts.length)];
    if (kind === 2) return [true, false, null][next(3)];
    if (kind === 3) return 1.5e300 * next(10);
    if (kind === 4) return -next(9);
    if (kind === 5) return Array.from({ length: next(4) }, () => value(depth + 1));
    return object(depth + 1);
  };
  const object = (depth: number) =>
    Object.fromEntries(Array.from({ length: next(4) }, () => [texts[next(texts.length)], value(depth)]));
  return Array.from({ length: count }, () => object(0));
}

const isObject = (text: string) => {
  const value: unknown = JSON.parse(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value);
};

describe('repairArguments', () => {
  it('changes nothing in valid arguments', () => {
    for (const one of objects(500)) {
      for (const text of [
        JSON.stringify(one),
        JSON.stringify(one, undefined, 2),
        ` ${JSON.stringify(one)}\n`,
      ])
        expect(repairArguments(text)).toBe(text);
    }
    const big = '{"id": 12345678901234567890, "x": 1.0e+2, "s": "\\u00e9\\/"}';
    expect(repairArguments(big)).toBe(big);
  });

  it('completes an object that was cut off at any place', () => {
    for (const one of objects(60)) {
      const text = JSON.stringify(one);
      for (let end = 0; end <= text.length; end++) {
        const repaired = repairArguments(text.slice(0, end));
        expect(isObject(repaired)).toBe(true);
        // Everything but a stray `-` or half a word can be gone on with: nothing is given up on.
        if (end > 0) expect(repaired).not.toContain('_unparsed');
      }
    }
  });

  it.each([
    [
      '{"path": "/tmp/a.txt", "content": "line 1\\nline',
      '{"path": "/tmp/a.txt", "content": "line 1\\nline"}',
    ],
    ['{"a": [1, 2, {"b": "c', '{"a": [1, 2, {"b": "c"}]}'],
    ['{"a": 1, "b', '{"a": 1, "b":null}'],
    ['{"a": 1, "b":', '{"a": 1, "b":null}'],
    ['{"a": 1,', '{"a": 1}'],
    ['{"a": tru', '{"a": null}'],
    ['{"a": 12.', '{"a": 12}'],
    ['{"a": 12e-', '{"a": 12}'],
    ['{"a": "x\\', '{"a": "x"}'],
    ['{"a": "x\\u00', '{"a": "x"}'],
    ['{"a": "half \\ud83d', '{"a": "half \\ufffd"}'],
    ['{"a": "half \\ud83d"}', '{"a": "half \\ufffd"}'],
    ['', '{}'],
    ['  ', '{}'],
    ['"{\\"a\\":1}"', '{"a":1}'],
    ['[1]', '{"_unparsed":"[1]"}'],
    ['null', '{"_unparsed":"null"}'],
    ['ls -la', '{"_unparsed":"ls -la"}'],
    ["{'a': 1}", `{"_unparsed":"{'a': 1}"}`],
    ['{"a":1}}', '{"_unparsed":"{\\"a\\":1}}"}'],
    ['{"a":[1}', '{"_unparsed":"{\\"a\\":[1}"}'],
  ])('repairs %s to %s', (text, repaired) => {
    expect(repairArguments(text)).toBe(repaired);
  });

  it('keeps deeply nested text as text', () => {
    const cut = '{"a":'.repeat(100_000);
    expect(JSON.parse(repairArguments(cut))).toEqual({ _unparsed: cut });
    const complete = `${cut}1${'}'.repeat(100_000)}`;
    expect(repairInput(complete)).toEqual({ _unparsed: complete });
    expect(repairInput(cut)).toEqual({ _unparsed: cut });
  });

  it('repairs megabytes quickly', () => {
    expect(repairArguments(`{"a":"${'\\\\'.repeat(2_000_000)}`)).toHaveLength(4_000_000 + 8);
    expect(repairArguments(`{"a":${'1'.repeat(2_000_000)}`)).toHaveLength(2_000_000 + 6);
  });
});

describe('repairInput', () => {
  it('keeps an object, and converts any other value to one', () => {
    const input = { a: 1 };
    expect(repairInput(input)).toBe(input);
    expect(repairInput(null)).toEqual({});
    expect(repairInput(undefined)).toEqual({});
    expect(repairInput('{"a": "b')).toEqual({ a: 'b' });
    expect(repairInput([1])).toEqual({ _unparsed: '[1]' });
  });
});
