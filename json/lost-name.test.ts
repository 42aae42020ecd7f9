import fc from 'fast-check';
import { expect, it } from 'vitest';
import { findLostName } from './lost-name.ts';

it.each([
  ['{"a":1,"a":2}', 'a'],
  ['{"x":{"a":1},"y":[{"b":1,"c":{},"b":2}]}', 'b'],
  ['{"a":1,"\\u0061":2}', 'a'],
  ['{"a":{"__proto__":1}}', '__proto__'],
  ['{"a" : 1 , "b" : "}" , "a" : 2}', 'a'],
  ['{"a":"\\"b\\":","b":"{\\"b\\":","c":[":"]}', undefined],
  ['{"a":{"a":{"a":1}},"b":{"a":1}}', undefined],
  ['["a","a",{"a":1},{"a":1}]', undefined],
])('%s: %j', (text, name) => {
  expect(findLostName(text)).toBe(name);
});

it('is there for no text that is written again as it was read', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 3 }), (text) => {
      const names = new Set<string>();
      const written = JSON.stringify(JSON.parse(text), (name, value: unknown) => {
        names.add(name);
        return value;
      });
      expect(findLostName(written)).toBe(names.has('__proto__') ? '__proto__' : undefined);
    }),
    { numRuns: 50 },
  );
});
