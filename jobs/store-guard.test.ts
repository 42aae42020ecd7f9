import { expect, it } from 'vitest';
import { createLog } from '../log/create-log.ts';
import { StoreUnavailable } from '../store/errors.ts';
import { StoreGuard } from './store-guard.ts';

const full = () => new StoreUnavailable('disk-full', new Error('ENOSPC'));

function guard(signal = new AbortController().signal) {
  const pauses: (string | null)[] = [];
  const lines: string[] = [];
  const log = createLog({ level: 'info', from: 'runner', write: (line) => lines.push(line) });
  const guard: StoreGuard = new StoreGuard(log, signal, () => pauses.push(guard.reason), 1);
  return { guard, pauses, lines };
}

/** Fails so often, then returns a value. */
function failing(times: number) {
  let calls = 0;
  return () => {
    calls += 1;
    if (calls <= times) throw full();
    return calls;
  };
}

it('tries again until the disk has room, and says once that it is paused', async () => {
  const { guard: it, pauses, lines } = guard();
  const results = Promise.all([it.persist(failing(3)), it.persist(failing(5))]);
  expect(it.isPaused).toBe(true);
  expect(await results).toEqual([4, 6]);
  expect(it.isPaused).toBe(false);
  expect(pauses).toEqual([expect.stringContaining('the disk of DATA_DIR is full'), null]);
  expect(lines).toHaveLength(2);
});

it('passes on other errors, and says nothing where there is none', async () => {
  const { guard: it, pauses } = guard();
  expect(await it.persist(() => 7)).toBe(7);
  await expect(it.persist(() => Promise.reject(new TypeError('bug')))).rejects.toThrow('bug');
  expect([it.isPaused, pauses]).toEqual([false, []]);
});

it('gives up when it is closed', async () => {
  const closed = new AbortController();
  const { guard: it } = guard(closed.signal);
  const result = it.persist(() => Promise.reject(full()));
  closed.abort();
  await expect(result).rejects.toThrow();
});
