import { describe, expect, it } from 'vitest';
import { type ChildEvent, type ChildState, initialState, nextChildState } from './child-state.ts';
import { defaultPolicy, forgiveExits, gatewayPolicy, type RestartPolicy } from './restart-policy.ts';

/** Lets a child live and end as told: `[how long it ran, how it ended]`; waits are waited out. */
function afterLives(policy: RestartPolicy, lives: readonly (readonly [ranForMs: number, end: ChildEvent])[]) {
  let now = 0;
  let state: ChildState = initialState;
  const waits: number[] = [];
  for (const [ranForMs, end] of lives) {
    state = nextChildState(state, 'started', policy, now);
    now += ranForMs;
    state = nextChildState(state, end, policy, now);
    if (state.phase !== 'waiting') break;
    waits.push(state.until - now);
    now = state.until;
  }
  return { phase: state.phase, waits };
}

const ends = (count: number, ranForMs: number) =>
  Array.from({ length: count }, () => [ranForMs, 'ended'] as const);

describe('a child that ends', () => {
  it('is started again after longer and longer waits, and given up on after the fifth end', () => {
    expect(afterLives(defaultPolicy, ends(9, 10))).toEqual({
      phase: 'given-up',
      waits: [1000, 2000, 4000, 8000],
    });
  });

  it('waits half a minute at most', () => {
    expect(afterLives(defaultPolicy, ends(9, 100_000)).waits.at(-1)).toBe(30_000);
  });

  it('begins anew after a quiet while, and is never given up on for rare ends', () => {
    const { phase, waits } = afterLives(defaultPolicy, ends(50, 600_000));
    expect(phase).toBe('waiting');
    expect(new Set(waits)).toEqual(new Set([1000]));
  });

  it('is started at once where it is the gateway and has served, yet not for ever', () => {
    const lives = afterLives(gatewayPolicy(defaultPolicy), ends(9, 10));
    expect(lives).toEqual({ phase: 'given-up', waits: [0, 0, 0, 0] });
  });

  it('is waited for where it is the gateway and could not start', () => {
    const lives = Array.from({ length: 9 }, () => [10, { loadFailure: 'unknown' }] as const);
    expect(afterLives(gatewayPolicy(defaultPolicy), lives).waits).toEqual([1000, 2000, 4000, 8000]);
  });

  it('is not started again where that is hopeless', () => {
    expect(afterLives(defaultPolicy, [[10, 'ended-for-good']])).toEqual({ phase: 'given-up', waits: [] });
  });
});

it('is not given up on for ends that are pardoned, and waits longer and longer all the same', () => {
  let now = 0;
  let state: ChildState = initialState;
  const waits: number[] = [];
  for (let death = 1; death <= 12; death++) {
    state = nextChildState(state, 'started', defaultPolicy, now);
    now += 10;
    state = nextChildState(state, 'ended', defaultPolicy, now);
    if (state.phase !== 'waiting') break;
    waits.push(state.until - now);
    now = state.until;
    if (death % 2 === 0) state = { ...state, history: forgiveExits(state.history, 2) };
  }
  expect(state).toMatchObject({ phase: 'waiting', history: { ends: [], inARow: 12 } });
  expect(waits.slice(0, 6)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000]);
  expect(forgiveExits(state.history, 5).ends).toEqual([]);
});

describe('a child that ends before it is ready', () => {
  const failing = (loadFailure: string) => [10, { loadFailure }] as const;

  it('is given up on when that happens twice in a row for the same reason', () => {
    const lives = [failing('out-of-vram'), failing('out-of-vram')];
    expect(afterLives(defaultPolicy, lives)).toEqual({ phase: 'given-up', waits: [1000] });
  });

  it('is tried again where the reason is another one, or it was ready in between', () => {
    const lives = [failing('killed'), failing('out-of-vram'), [10, 'ended'], failing('out-of-vram')] as const;
    expect(afterLives(defaultPolicy, lives)).toEqual({ phase: 'waiting', waits: [1000, 2000, 4000, 8000] });
  });
});

describe('a child that is asked to end', () => {
  const running = nextChildState(initialState, 'started', defaultPolicy, 0);

  it('has stopped when it ends, however it ends', () => {
    const stopping = nextChildState(running, 'stop-wanted', defaultPolicy, 1);
    expect(stopping.phase).toBe('stopping');
    expect(nextChildState(stopping, 'ended', defaultPolicy, 2).phase).toBe('stopped');
    expect(nextChildState(stopping, 'ended-for-good', defaultPolicy, 2).phase).toBe('stopped');
  });

  it('has stopped at once where it was waiting to be started again', () => {
    const waiting = nextChildState(running, 'ended', defaultPolicy, 1);
    expect(nextChildState(waiting, 'stop-wanted', defaultPolicy, 2).phase).toBe('stopped');
  });
});

describe('a child that is replaced', () => {
  const running = nextChildState(initialState, 'started', defaultPolicy, 0);
  const replacing = nextChildState(running, 'replace-wanted', defaultPolicy, 1);

  it.each<ChildEvent>(['ended', 'ended-for-good', { loadFailure: 'killed' }])(
    'is started again, its end counting for nothing: %j',
    (end) => {
      const state = nextChildState(replacing, end, defaultPolicy, 2);
      expect(state).toEqual({ phase: 'replacing', history: running.history });
      expect(nextChildState(state, 'started', defaultPolicy, 3).phase).toBe('running');
    },
  );

  it('need not have waited to the end of its pause', () => {
    const waiting = nextChildState(running, 'ended', defaultPolicy, 1);
    expect(nextChildState(waiting, 'replace-wanted', defaultPolicy, 2).phase).toBe('replacing');
  });

  it('may have ended by itself where the next one is another', () => {
    const ended = nextChildState(running, 'ended-on-trial', defaultPolicy, 2);
    expect(ended).toEqual({ phase: 'replacing', history: running.history });
  });

  it('stops as any other, and is not brought back from there', () => {
    const stopping = nextChildState(replacing, 'stop-wanted', defaultPolicy, 2);
    expect(stopping.phase).toBe('stopping');
    expect(nextChildState(stopping, 'replace-wanted', defaultPolicy, 3).phase).toBe('stopping');
    expect(nextChildState(stopping, 'ended', defaultPolicy, 3).phase).toBe('stopped');
  });
});
