import { describe, expect, it, vi } from 'vitest';
import { waitFor } from '../../test/harness/wait-for.ts';
import { Lease } from '../scheduler/scheduler.ts';
import { type BusySlots, SlotTracker } from './slot-tracker.ts';

/** A backend that reports what `busy` is set to, and leases that record when they are returned. */
function setUp({ timeoutMs = 3_600_000 } = {}) {
  const state = { busy: 0 as BusySlots, polls: 0, returned: [] as string[] };
  const onTimeout = vi.fn();
  const tracker = new SlotTracker({
    fetchBusySlots: async () => {
      state.polls += 1;
      return state.busy;
    },
    onTimeout,
    timeoutMs,
  });
  const track = (name: string, { slots = 1, isStream = true } = {}) => {
    const lease = new Lease(slots, 0, () => state.returned.push(name));
    const use = tracker.track(lease, isStream);
    return {
      start: () => use.start(),
      end: (how: 'complete' | 'aborted') => {
        use.end(how);
        lease[Symbol.dispose]();
      },
    };
  };
  const polls = (more: number) => {
    const wanted = state.polls + more;
    return waitFor(`${more} more polls`, () => state.polls >= wanted, { every: 1 });
  };
  return { state, track, polls, onTimeout };
}

describe('SlotTracker', () => {
  it('returns the lease of a complete exchange at once, without asking the backend', () => {
    const { state, track } = setUp();
    track('whole').end('complete');
    expect(state).toMatchObject({ returned: ['whole'], polls: 0 });
  });

  it('keeps the lease of an aborted exchange until the backend works on no more than the running ones', async () => {
    const { state, track, polls } = setUp();
    state.busy = 2;
    const [stays, leaves] = [track('stays'), track('leaves')];
    for (const it of [stays, leaves]) it.start();
    leaves.end('aborted');
    await polls(3);
    expect(state.returned).toEqual([]);
    state.busy = 1;
    await waitFor('the lease to be returned', () => state.returned.includes('leaves'));
    const seen = state.polls;
    stays.end('complete');
    expect(state).toMatchObject({ returned: ['leaves', 'stays'], polls: seen });
  });

  it('asks once for all aborted exchanges', async () => {
    const { state, track, polls } = setUp();
    state.busy = 50;
    const many = Array.from({ length: 50 }, (_, n) => track(String(n)));
    for (const one of many) one.start();
    for (const one of many) one.end('aborted');
    await polls(2);
    const [pollsBefore, returnedBefore] = [state.polls, state.returned.length];
    state.busy = 0;
    await waitFor('all leases to be returned', () => state.returned.length === 50);
    expect([returnedBefore, state.polls]).toEqual([0, pollsBefore + 1]);
  });

  it.each(['unreachable', 'unsupported'] as const)(
    'returns the lease of an aborted exchange if the count is %s',
    async (busy) => {
      const { state, track } = setUp();
      state.busy = busy;
      track('left').end('aborted');
      await waitFor('the lease to be returned', () => state.returned.length === 1);
      expect(state.polls).toBe(1);
    },
  );

  it.each([1, 'timed-out'] as const)(
    'returns the lease after the timeout if the count stays %j',
    async (busy) => {
      const { state, track, onTimeout } = setUp({ timeoutMs: 100 });
      state.busy = busy;
      const left = track('left');
      left.start();
      left.end('aborted');
      await waitFor('the lease to be returned', () => state.returned.length === 1);
      expect(onTimeout).toHaveBeenCalledOnce();
    },
  );

  it('asks rarely while no stream was aborted, as each request delays the check of llama-server', async () => {
    const { state, track, onTimeout } = setUp({ timeoutMs: 200 });
    state.busy = 1;
    const left = track('left', { isStream: false });
    left.start();
    left.end('aborted');
    await waitFor('the lease to be returned', () => state.returned.length === 1);
    expect(onTimeout).toHaveBeenCalledOnce();
    expect(state.polls).toBeLessThanOrEqual(2);
  });

  it('does not ask about an exchange that takes no slot', () => {
    const { state, track } = setUp();
    track('counted', { slots: 0 }).end('aborted');
    expect(state).toMatchObject({ returned: ['counted'], polls: 0 });
  });
});
