import { describe, expect, it, vi } from 'vitest';
import { waitFor } from '../../test/harness/wait-for.ts';
import { Lease } from '../scheduler/lease.ts';
import type { BusySlots } from './busy-slots.ts';
import { SlotTracker } from './slot-tracker.ts';

/** A backend that says what `busy` is set to, and leases that note when they go back. */
function house({ patienceMs = 3_600_000 } = {}) {
  const state = { busy: 0 as BusySlots, looks: 0, back: [] as string[] };
  const onImpatience = vi.fn();
  const occupancy = new SlotTracker({
    fetchBusySlots: async () => {
      state.looks += 1;
      return state.busy;
    },
    onTimeout: onImpatience,
    timeoutMs: patienceMs,
  });
  const enter = (name: string, { weight = 1, isStream = true } = {}) => {
    const lease = new Lease(weight, 0, () => state.back.push(name));
    const stay = occupancy.track(lease, isStream);
    return {
      begin: () => stay.start(),
      end: (how: 'complete' | 'broken-off') => {
        stay.end(how);
        lease[Symbol.dispose]();
      },
    };
  };
  const looks = (more: number) => {
    const wanted = state.looks + more;
    return waitFor(`${more} more looks`, () => state.looks >= wanted, { every: 1 });
  };
  return { state, enter, looks, onImpatience };
}

describe('Occupancy', () => {
  it('gives the lease of a whole exchange back at once, and asks nobody', () => {
    const { state, enter } = house();
    enter('whole').end('complete');
    expect(state).toMatchObject({ back: ['whole'], looks: 0 });
  });

  it('holds that of a broken-off one until the backend holds no more than what is under way', async () => {
    const { state, enter, looks } = house();
    state.busy = 2;
    const [stays, leaves] = [enter('stays'), enter('leaves')];
    for (const it of [stays, leaves]) it.begin();
    leaves.end('broken-off');
    await looks(3);
    expect(state.back).toEqual([]);
    state.busy = 1;
    await waitFor('the lease to be back', () => state.back.includes('leaves'));
    const seen = state.looks;
    stays.end('complete');
    expect(state).toMatchObject({ back: ['leaves', 'stays'], looks: seen });
  });

  it('asks for all of them together', async () => {
    const { state, enter, looks } = house();
    state.busy = 50;
    const many = Array.from({ length: 50 }, (_, n) => enter(String(n)));
    for (const one of many) one.begin();
    for (const one of many) one.end('broken-off');
    await looks(2);
    const [looksBefore, backBefore] = [state.looks, state.back.length];
    state.busy = 0;
    await waitFor('all leases to be back', () => state.back.length === 50);
    expect([backBefore, state.looks]).toEqual([0, looksBefore + 1]);
  });

  it.each(['away', 'untold'] as const)('gives it back to a backend that is %s', async (busy) => {
    const { state, enter } = house();
    state.busy = busy;
    enter('left').end('broken-off');
    await waitFor('the lease to be back', () => state.back.length === 1);
    expect(state.looks).toBe(1);
  });

  it.each([1, 'deaf'] as const)('but not for ever, when it says %j and nothing else', async (busy) => {
    const { state, enter, onImpatience } = house({ patienceMs: 100 });
    state.busy = busy;
    const left = enter('left');
    left.begin();
    left.end('broken-off');
    await waitFor('the lease to be back', () => state.back.length === 1);
    expect(onImpatience).toHaveBeenCalledOnce();
  });

  it('seldom asks about a plain one, as our asking keeps llama-server from looking for its client', async () => {
    const { state, enter, onImpatience } = house({ patienceMs: 200 });
    state.busy = 1;
    const left = enter('left', { isStream: false });
    left.begin();
    left.end('broken-off');
    await waitFor('the lease to be back', () => state.back.length === 1);
    expect(onImpatience).toHaveBeenCalledOnce();
    expect(state.looks).toBeLessThanOrEqual(2);
  });

  it('asks nothing about what takes no slot', () => {
    const { state, enter } = house();
    enter('counted', { weight: 0 }).end('broken-off');
    expect(state).toMatchObject({ back: ['counted'], looks: 0 });
  });
});
