import { describe, expect, it } from 'vitest';
import { pickEngine } from './pick-engine.ts';

const engine = (load: number, { capacity = 4, granted = 0 } = {}) => ({
  isOpen: capacity > 0,
  load,
  scheduler: { capacity, granted },
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
});
