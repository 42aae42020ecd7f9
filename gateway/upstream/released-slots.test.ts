import { describe, expect, it } from 'vitest';
import { releasedSlots, type SlotHolder } from './released-slots.ts';

const now = 10_000;
const aged: SlotHolder = { weight: 1, sentAt: 0, startedAt: 1, abortedAt: undefined };
const underWay = (fields: Partial<SlotHolder> = {}): SlotHolder => ({ ...aged, ...fields });
const brokenOff = (fields: Partial<SlotHolder> = {}): SlotHolder => ({ ...aged, abortedAt: now, ...fields });
const gone = (occupants: SlotHolder[], busy: number) =>
  releasedSlots(occupants, busy, now).map((occupant) => occupants.indexOf(occupant));

describe('whoHasLetGo', () => {
  it.each([
    ['an idle backend holds nobody', [brokenOff()], 0, [0]],
    ['one slot may be that of the broken-off one', [brokenOff()], 1, []],
    ['or that of the one under way', [underWay(), brokenOff()], 1, [1]],
    ['two slots are those of both', [underWay(), brokenOff()], 2, []],
    ['of two broken off one is gone, whichever', [brokenOff(), underWay(), brokenOff()], 2, [0]],
    ['of two broken off both are gone', [brokenOff(), underWay(), brokenOff()], 1, [0, 2]],
    ['a heavy one goes when all its slots are free', [brokenOff({ weight: 3 })], 1, []],
    ['and a light one may go before it', [brokenOff({ weight: 3 }), brokenOff()], 2, [1]],
    ['what others do there is not held against ours for less', [brokenOff()], 7, []],
    ['choices that ended before others leave room', [underWay({ weight: 3 }), brokenOff()], 2, [1]],
  ] as const)('%s', (_, occupants, busy, expected) => {
    expect(gone([...occupants], busy)).toEqual(expected);
  });

  it('lets one explain nothing that may be on its way still', () => {
    const fresh = underWay({ startedAt: undefined, sentAt: now - 10 });
    expect(gone([fresh, brokenOff()], 1)).toEqual([]);
    expect(gone([{ ...fresh, sentAt: now - 200 }, brokenOff()], 1)).toEqual([1]);
    expect(gone([{ ...fresh, startedAt: now + 1 }, brokenOff()], 1)).toEqual([]);
  });

  it('keeps one that was broken off on its way, as it may arrive still', () => {
    const unseen = brokenOff({ startedAt: undefined, abortedAt: now - 10 });
    expect(gone([unseen], 0)).toEqual([]);
    expect(gone([unseen, brokenOff()], 1)).toEqual([]);
    expect(gone([{ ...unseen, abortedAt: now - 200 }], 0)).toEqual([0]);
  });
});
