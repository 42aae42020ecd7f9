import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { MemoryStore } from './response-store.ts';

beforeEach(() => {
  vi.useFakeTimers();
  // To lru-cache, something from the time 0 never expires.
  vi.advanceTimersByTime(1);
});
afterEach(() => {
  vi.useRealTimers();
});

const name = (n: number) => Buffer.alloc(32, n);

it('a response is gone after its time', () => {
  using store = new MemoryStore(1024 ** 2, 60_000);
  store.set(name(1), Buffer.from('a'));
  vi.advanceTimersByTime(59_000);
  expect(store.get(name(1))?.toString()).toBe('a');
  vi.advanceTimersByTime(2000);
  expect(store.get(name(1))).toBeUndefined();
});

it('expired responses leave the memory', () => {
  using store = new MemoryStore(1024 ** 2, 60_000);
  store.set(name(1), Buffer.from('a'));
  vi.advanceTimersByTime(121_000);
  expect(store.usage).toEqual({ entries: 0, bytes: 0 });
});

it('never holds more than its size, and keeps the latest', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 200 }), (sizes) => {
      using store = new MemoryStore(64 * 1024, 60_000);
      sizes.forEach((size, n) => {
        store.set(name(n), Buffer.alloc(size));
        expect(store.usage.bytes).toBeLessThanOrEqual(64 * 1024);
        expect(store.get(name(n))?.length).toBe(size <= store.maxValueBytes ? size : undefined);
      });
    }),
  );
});

it('does not keep the buffer that it was given', () => {
  using store = new MemoryStore(1024 ** 2, 60_000);
  const value = Buffer.from('abc');
  store.set(name(1), value);
  value.fill(0);
  expect(store.get(name(1))?.toString()).toBe('abc');
});
