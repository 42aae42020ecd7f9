import { describe, expect, it } from 'vitest';
import { pickEngine, pickIdleEngine } from './pick-engine.ts';

const engine = (load: number, { capacity = 4, granted = 0, lines = 0, idleSlots = 0 } = {}) => ({
  isOpen: capacity > 0,
  load,
  idleSlots,
  scheduler: { capacity, granted, batches: { leased: lines } },
});

describe('the engine for a request', () => {
  it('is the one with most free slots, and of idle ones the one that has served least', () => {
    const [busy, free] = [engine(3), engine(1)];
    expect(pickEngine([busy, free], undefined)).toBe(free);
    const [used, fresh] = [engine(0, { granted: 5 }), engine(0, { granted: 4 })];
    expect(pickEngine([used, fresh], undefined)).toBe(fresh);
  });

  it('is the one that has the conversation in its cache, though another has more free slots', () => {
    const [home, other] = [engine(1), engine(0)];
    expect(pickEngine([home, other], home)).toBe(home);
  });

  it('is another one if that is full, or much busier than the mean', () => {
    const [full, free] = [engine(4), engine(3)];
    expect(pickEngine([full, free], full)).toBe(free);
    const [crowded, short] = [engine(14), engine(5)];
    expect(pickEngine([crowded, short], crowded)).toBe(short);
    const [line, alike] = [engine(6), engine(5)];
    expect(pickEngine([line, alike], line)).toBe(line);
  });

  it('is one that serves, if there is any', () => {
    const [closed, busy] = [engine(0, { capacity: 0 }), engine(9)];
    expect(pickEngine([closed, busy], closed)).toBe(busy);
    expect(pickEngine([closed], closed)).toBe(closed);
    expect(pickEngine([], undefined)).toBeUndefined();
  });

  it('is one with a free slot rather than one where a line of a batch has to give way', () => {
    const [busy, full] = [engine(3), engine(1, { lines: 3 })];
    expect(pickEngine([full, busy], undefined)).toBe(busy);
    expect(pickEngine([full, engine(4)], undefined)).toBe(full);
  });
});

describe('the engine for a line of a batch', () => {
  it('is the one with most idle slots, and among those that serve', () => {
    const [few, most] = [engine(0, { idleSlots: 1 }), engine(0, { idleSlots: 2 })];
    const closed = engine(0, { capacity: 0, idleSlots: 3 });
    expect(pickIdleEngine([few, closed, most])).toBe(most);
    expect(pickIdleEngine([closed])).toBe(closed);
  });
});
