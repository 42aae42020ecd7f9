import { describe, expect, it, vi } from 'vitest';
import { waitFor } from '../../test/harness/wait-for.ts';
import { Lease } from '../scheduler/lease.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import { type BusySlots, releasedSlots, type SlotHolder, SlotTracker } from './slot-tracker.ts';

const scheduler = new Scheduler({ limits: { maxWaiting: 1, maxWaitingPerLane: 1, timeoutMs: 1 } });

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
    const lease = new Lease(scheduler, slots, 0, () => state.returned.push(name));
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
    track('complete').end('complete');
    expect(state).toMatchObject({ returned: ['complete'], polls: 0 });
  });

  it('keeps the lease of an aborted exchange until the backend works on no more than the running ones', async () => {
    const { state, track, polls } = setUp();
    state.busy = 2;
    const [running, aborted] = [track('running'), track('aborted')];
    for (const it of [running, aborted]) it.start();
    aborted.end('aborted');
    await polls(3);
    expect(state.returned).toEqual([]);
    state.busy = 1;
    await waitFor('the lease to be returned', () => state.returned.includes('aborted'));
    const seen = state.polls;
    running.end('complete');
    expect(state).toMatchObject({ returned: ['aborted', 'running'], polls: seen });
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
    'returns the lease after the timeout if the count remains %j',
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

const now = 10_000;
const aged: SlotHolder = { slots: 1, sentAt: 0, startedAt: 1, abortedAt: undefined };
const running = (fields: Partial<SlotHolder> = {}): SlotHolder => ({ ...aged, ...fields });
const aborted = (fields: Partial<SlotHolder> = {}): SlotHolder => ({ ...aged, abortedAt: now, ...fields });
const released = (holders: SlotHolder[], busy: number) =>
  releasedSlots(holders, busy, now).map((holder) => holders.indexOf(holder));

describe('releasedSlots', () => {
  it.each([
    ['an idle backend has released all', [aborted()], 0, [0]],
    ['one busy slot may be that of the aborted request', [aborted()], 1, []],
    ['or that of the running one', [running(), aborted()], 1, [1]],
    ['two busy slots are those of both', [running(), aborted()], 2, []],
    ['of two aborted requests one is released, whichever it is', [aborted(), running(), aborted()], 2, [0]],
    ['of two aborted requests both are released', [aborted(), running(), aborted()], 1, [0, 2]],
    ['a request with several slots is released when all of them are free', [aborted({ slots: 3 })], 1, []],
    ['and one with fewer slots may be released before it', [aborted({ slots: 3 }), aborted()], 2, [1]],
    ['more busy slots than are leased here change nothing', [aborted()], 7, []],
    ['choices that ended early leave room', [running({ slots: 3 }), aborted()], 2, [1]],
  ] as const)('%s', (_, holders, busy, expected) => {
    expect(released([...holders], busy)).toEqual(expected);
  });

  it('ignores a running request that may still be in transit', () => {
    const fresh = running({ startedAt: undefined, sentAt: now - 10 });
    expect(released([fresh, aborted()], 1)).toEqual([]);
    expect(released([{ ...fresh, sentAt: now - 200 }, aborted()], 1)).toEqual([1]);
    expect(released([{ ...fresh, startedAt: now + 1 }, aborted()], 1)).toEqual([]);
  });

  it('does not release a request that was aborted in transit, as it may still arrive', () => {
    const unseen = aborted({ startedAt: undefined, abortedAt: now - 10 });
    expect(released([unseen], 0)).toEqual([]);
    expect(released([unseen, aborted()], 1)).toEqual([]);
    expect(released([{ ...unseen, abortedAt: now - 200 }], 0)).toEqual([0]);
  });
});
