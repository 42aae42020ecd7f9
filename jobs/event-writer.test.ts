import { expect, it } from 'vitest';
import type { ResponseEvent } from '../store/response.ts';
import { EventWriter } from './event-writer.ts';

const event = (sequence: number, text = 'event'): ResponseEvent => ({ sequence, text });

/** A disk whose writes end when the test says so. */
function slowDisk() {
  const written: number[][] = [];
  const ends: PromiseWithResolvers<void>[] = [];
  const store = (events: readonly ResponseEvent[]) => {
    written.push(events.map(({ sequence }) => sequence));
    const end = Promise.withResolvers<void>();
    ends.push(end);
    return end.promise;
  };
  return { written, ends, writer: new EventWriter(store) };
}

it('what arrives during a write is written together, in order', async () => {
  const { written, ends, writer } = slowDisk();
  await writer.add([event(0)]);
  const flushed = writer.flush();
  for (const sequence of [1, 2, 3]) await writer.add([event(sequence)]);
  expect(written).toEqual([[0]]);
  ends[0]?.resolve();
  await expect.poll(() => written).toEqual([[0], [1, 2, 3]]);
  ends[1]?.resolve();
  await flushed;
});

it('writes without being asked', async () => {
  const { written, ends, writer } = slowDisk();
  await writer.add([event(0)]);
  await expect.poll(() => written).toEqual([[0]]);
  ends[0]?.resolve();
  await writer.add([event(1)]);
  await expect.poll(() => written).toEqual([[0], [1]]);
});

it('lets its source wait when too much waits for the disk', async () => {
  const { written, ends, writer } = slowDisk();
  let isAdded = false;
  const added = writer.add([event(0, 'x'.repeat(2 ** 21))]).then(() => {
    isAdded = true;
  });
  await expect.poll(() => written).toEqual([[0]]);
  expect(isAdded).toBe(false);
  ends[0]?.resolve();
  await added;
});

it('loses no event silently', async () => {
  const { written, ends, writer } = slowDisk();
  await writer.add([event(0)]);
  await expect.poll(() => written).toEqual([[0]]);
  ends[0]?.reject(new Error('a bug'));
  await expect(writer.flush()).rejects.toThrow('a bug');
  await expect(writer.add([event(1)])).rejects.toThrow('a bug');
});

it('writes nothing behind events that could not be written: the stream would go on behind a gap', async () => {
  const { written, ends, writer } = slowDisk();
  await writer.add([event(0)]);
  await expect.poll(() => written).toEqual([[0]]);
  await writer.add([event(1)]);
  ends[0]?.reject(new Error('a bug'));
  await expect(writer.flush()).rejects.toThrow('a bug');
  expect(written).toEqual([[0]]);
});
