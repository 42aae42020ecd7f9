import { describe, expect, it } from 'vitest';
import { type ChildEvent, type ChildState, initialState, nextChildState } from './child-state.ts';
import { defaultPolicy, forgiveExits, gatewayPolicy, type RestartPolicy } from './restart-policy.ts';

/** The life of a child that runs and exits like this: `[how long it ran, how it exited]`; all delays pass. */
function afterRuns(policy: RestartPolicy, runs: readonly (readonly [ranForMs: number, exit: ChildEvent])[]) {
  let now = 0;
  let state: ChildState = initialState;
  const delays: number[] = [];
  for (const [ranForMs, exit] of runs) {
    state = nextChildState(state, 'started', policy, now);
    now += ranForMs;
    state = nextChildState(state, exit, policy, now);
    if (state.phase !== 'waiting') break;
    delays.push(state.until - now);
    now = state.until;
  }
  return { phase: state.phase, delays };
}

const exits = (count: number, ranForMs: number) =>
  Array.from({ length: count }, () => [ranForMs, 'exited'] as const);

describe('a child that crashes', () => {
  it('is restarted after growing delays, and given up after the fifth crash', () => {
    expect(afterRuns(defaultPolicy, exits(9, 10))).toEqual({
      phase: 'given-up',
      delays: [1000, 2000, 4000, 8000],
    });
  });

  it('is delayed by half a minute at most', () => {
    expect(afterRuns(defaultPolicy, exits(9, 100_000)).delays.at(-1)).toBe(30_000);
  });

  it('is delayed like the first time after it was stable, and is never given up for rare crashes', () => {
    const { phase, delays } = afterRuns(defaultPolicy, exits(50, 600_000));
    expect(phase).toBe('waiting');
    expect(new Set(delays)).toEqual(new Set([1000]));
  });

  it('is restarted at once if it is the gateway and was ready, but not forever', () => {
    const runs = afterRuns(gatewayPolicy(defaultPolicy), exits(9, 10));
    expect(runs).toEqual({ phase: 'given-up', delays: [0, 0, 0, 0] });
  });

  it('is delayed if it is the gateway and could not start', () => {
    const runs = Array.from({ length: 9 }, () => [10, { loadFailure: 'unknown' }] as const);
    expect(afterRuns(gatewayPolicy(defaultPolicy), runs).delays).toEqual([1000, 2000, 4000, 8000]);
  });

  it('is not restarted after a fatal exit', () => {
    expect(afterRuns(defaultPolicy, [[10, 'exited-fatally']])).toEqual({ phase: 'given-up', delays: [] });
  });
});

it('forgiven exits do not count towards giving up, but the delays grow', () => {
  let now = 0;
  let state: ChildState = initialState;
  const delays: number[] = [];
  for (let crash = 1; crash <= 12; crash++) {
    state = nextChildState(state, 'started', defaultPolicy, now);
    now += 10;
    state = nextChildState(state, 'exited', defaultPolicy, now);
    if (state.phase !== 'waiting') break;
    delays.push(state.until - now);
    now = state.until;
    if (crash % 2 === 0) state = { ...state, history: forgiveExits(state.history, 2) };
  }
  expect(state).toMatchObject({ phase: 'waiting', history: { exits: [], consecutive: 12 } });
  expect(delays.slice(0, 6)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000]);
  expect(forgiveExits(state.history, 5).exits).toEqual([]);
});

describe('a child that crashes before it is ready', () => {
  const failing = (loadFailure: string) => [10, { loadFailure }] as const;

  it('is given up when that happens twice in a row for the same reason', () => {
    const runs = [failing('out-of-vram'), failing('out-of-vram')];
    expect(afterRuns(defaultPolicy, runs)).toEqual({ phase: 'given-up', delays: [1000] });
  });

  it('is restarted if the reason differs, or it was ready in between', () => {
    const runs = [failing('killed'), failing('out-of-vram'), [10, 'exited'], failing('out-of-vram')] as const;
    expect(afterRuns(defaultPolicy, runs)).toEqual({ phase: 'waiting', delays: [1000, 2000, 4000, 8000] });
  });
});

describe('a child that is asked to stop', () => {
  const running = nextChildState(initialState, 'started', defaultPolicy, 0);

  it('has stopped when it exits, however it exits', () => {
    const stopping = nextChildState(running, 'stop-requested', defaultPolicy, 1);
    expect(stopping.phase).toBe('stopping');
    expect(nextChildState(stopping, 'exited', defaultPolicy, 2).phase).toBe('stopped');
    expect(nextChildState(stopping, 'exited-fatally', defaultPolicy, 2).phase).toBe('stopped');
  });

  it('has stopped at once if it was waiting for its restart', () => {
    const waiting = nextChildState(running, 'exited', defaultPolicy, 1);
    expect(nextChildState(waiting, 'stop-requested', defaultPolicy, 2).phase).toBe('stopped');
  });
});

describe('a child that is replaced', () => {
  const running = nextChildState(initialState, 'started', defaultPolicy, 0);
  const replacing = nextChildState(running, 'replace-requested', defaultPolicy, 1);

  it.each<ChildEvent>(['exited', 'exited-fatally', { loadFailure: 'killed' }])(
    'is started again, and its exit does not count: %j',
    (exit) => {
      const state = nextChildState(replacing, exit, defaultPolicy, 2);
      expect(state).toEqual({ phase: 'replacing', history: running.history });
      expect(nextChildState(state, 'started', defaultPolicy, 3).phase).toBe('running');
    },
  );

  it('skips the rest of its delay', () => {
    const waiting = nextChildState(running, 'exited', defaultPolicy, 1);
    expect(nextChildState(waiting, 'replace-requested', defaultPolicy, 2).phase).toBe('replacing');
  });

  it('may have exited by itself, if the next one has other arguments', () => {
    const exited = nextChildState(running, 'candidate-exited', defaultPolicy, 2);
    expect(exited).toEqual({ phase: 'replacing', history: running.history });
  });

  it('stops like any other, and is not replaced afterwards', () => {
    const stopping = nextChildState(replacing, 'stop-requested', defaultPolicy, 2);
    expect(stopping.phase).toBe('stopping');
    expect(nextChildState(stopping, 'replace-requested', defaultPolicy, 3).phase).toBe('stopping');
    expect(nextChildState(stopping, 'exited', defaultPolicy, 3).phase).toBe('stopped');
  });
});
