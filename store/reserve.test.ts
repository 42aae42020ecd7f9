import { existsSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { StoreUnavailable, type UnavailableReason } from './errors.ts';
import { Reserve } from './reserve.ts';

const failure = (reason: UnavailableReason) => new StoreUnavailable(reason, new Error('ENOSPC'));

/** A reserve, and what deletes something but fails for a reason as long as the reserve takes space. */
async function fullDisk(reason: UnavailableReason = 'disk-full') {
  const folder = await temporaryFolder();
  const reserve = new Reserve(folder.path);
  const file = folder.file('store.reserve');
  let calls = 0;
  const remove = () => {
    calls += 1;
    if (existsSync(file) || calls === 1) throw failure(reason);
    return 'removed';
  };
  return {
    reserve,
    file,
    remove,
    calls: () => calls,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

describe('the reserve of a disk', () => {
  it('is a file that only its owner can read', async () => {
    await using disk = await fullDisk();
    disk.reserve.refill();
    const { size, mode } = statSync(disk.file);
    expect([size, mode & 0o777]).toEqual([1024 ** 2, 0o600]);
  });

  it('is given up to delete something, and taken again', async () => {
    await using disk = await fullDisk();
    disk.reserve.refill();
    expect(disk.reserve.deleting(disk.remove)).toBe('removed');
    expect([disk.calls(), existsSync(disk.file)]).toEqual([2, false]);
    disk.reserve.refill();
    expect(existsSync(disk.file)).toBe(true);
    expect(await disk.reserve.deletingMuch(async () => disk.remove())).toBe('removed');
    expect(existsSync(disk.file)).toBe(false);
  });

  it('helps once, and against nothing else', async () => {
    await using full = await fullDisk();
    expect(() => full.reserve.deleting(full.remove)).toThrow(StoreUnavailable);
    expect(full.calls()).toBe(1);
    await using busy = await fullDisk('busy');
    busy.reserve.refill();
    expect(() => busy.reserve.deleting(busy.remove)).toThrow(StoreUnavailable);
    expect([busy.calls(), existsSync(busy.file)]).toEqual([1, true]);
  });
});
