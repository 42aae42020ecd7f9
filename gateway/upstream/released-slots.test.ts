import { describe, expect, it } from 'vitest';
import { releasedSlots, type SlotHolder } from './released-slots.ts';

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
