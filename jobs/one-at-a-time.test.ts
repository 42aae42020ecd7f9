import { expect, it } from 'vitest';
import { OneAtATime } from './one-at-a-time.ts';

const never = new AbortController().signal;

/** A queue, whose actions are recorded and end when the test says so. */
function recordedQueue() {
  const queue = new OneAtATime();
  const begun: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<string>>();
  const enqueue = (owner: string, id: string, signal = never) => {
    const end = Promise.withResolvers<string>();
    ends.set(id, end);
    const action = () => {
      begun.push(id);
      return end.promise;
    };
    return queue.run({ id, owner }, action, signal);
  };
  const end = async (id: string) => {
    ends.get(id)?.resolve(`end of ${id}`);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { begun, enqueue, end, ends };
}

it('an owner with many files does not delay one with a single file', async () => {
  const { begun, enqueue, end } = recordedQueue();
  const all = ['a1', 'a2', 'a3', 'a4'].map((id) => enqueue('a', id));
  await end('a1');
  expect(begun).toEqual(['a1', 'a2']);
  all.push(enqueue('b', 'b1'), enqueue('b', 'b2'), enqueue('c', 'c1'));
  for (const id of ['a2', 'b1', 'c1', 'a3', 'b2', 'a4']) {
    expect(begun.at(-1)).toBe(id);
    await end(id);
  }
  expect(await Promise.all(all)).toEqual(
    ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1'].map((id) => `end of ${id}`),
  );
});

it('one that is interrupted leaves the queue at once, and one that fails harms no other', async () => {
  const { begun, enqueue, end, ends } = recordedQueue();
  const interrupted = new AbortController();
  const failing = enqueue('a', 'a1', interrupted.signal);
  const waiting = enqueue('b', 'b1', interrupted.signal);
  const last = enqueue('c', 'c1');
  interrupted.abort();
  expect(await waiting).toBeUndefined();
  expect(await enqueue('d', 'd1', interrupted.signal)).toBeUndefined();
  ends.get('a1')?.reject(new Error('unreadable'));
  await expect(failing).rejects.toThrow('unreadable');
  await end('c1');
  expect(await last).toBe('end of c1');
  expect(begun).toEqual(['a1', 'c1']);
});
