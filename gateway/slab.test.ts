import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Slab } from './slab.ts';

it('holds what was inserted and not removed, in any order of events', () => {
  const events = fc.array(fc.oneof(fc.constant('insert' as const), fc.nat(50)), { maxLength: 300 });
  fc.assert(
    fc.property(events, (all) => {
      const slab = new Slab<string>();
      const held = new Map<number, string>();
      let inserted = 0;
      for (const event of all) {
        const known = [...held.keys()];
        if (event === 'insert') {
          const value = `value ${inserted++}`;
          const key = slab.insert(value);
          expect(held.has(key)).toBe(false);
          held.set(key, value);
        } else if (known.length > 0) {
          const key = known[event % known.length] ?? 0;
          slab.remove(key);
          held.delete(key);
        }
        expect([...slab].toSorted()).toEqual([...held.values()].toSorted());
        expect(slab.size).toBe(held.size);
      }
    }),
  );
});

it('takes no more room than the most that were in it at once', () => {
  const slab = new Slab<number>();
  for (let round = 0; round < 1000; round++) {
    const keys = Array.from({ length: 8 }, (_, n) => slab.insert(n));
    expect(Math.max(...keys)).toBeLessThan(8);
    for (const key of keys) slab.remove(key);
  }
});
