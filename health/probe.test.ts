import { describe, expect, it } from 'vitest';
import type { ProbeResult } from './probe.ts';
import { initialProbedState, maxMissedProbes, nextStatus } from './probe.ts';

/** The status after each of the probes, one second apart. */
function statusesAfter(...results: readonly ProbeResult[]) {
  let state = initialProbedState(0);
  return results.map((result, index) => {
    state = nextStatus(state, result, (index + 1) * 1000);
    return state.status;
  });
}

describe('the status of a probed backend', () => {
  it('goes from starting to loading to ready', () => {
    expect(statusesAfter('unreachable', 'unreachable', 'loading', 'loading', 'ready')).toEqual([
      'starting',
      'starting',
      'loading',
      'loading',
      'ready',
    ]);
  });

  it('is restarting at once if a backend that was up is unreachable', () => {
    expect(statusesAfter('ready', 'unreachable', 'loading', 'ready')).toEqual([
      'ready',
      'restarting',
      'loading',
      'ready',
    ]);
    expect(statusesAfter('loading', 'unreachable')).toEqual(['loading', 'restarting']);
  });

  it('stays ready through a few missed probes', () => {
    const misses = Array<ProbeResult>(maxMissedProbes).fill('timed-out');
    expect(statusesAfter('ready', ...misses).at(-1)).toBe('ready');
    expect(statusesAfter('ready', ...misses, 'timed-out').at(-1)).toBe('restarting');
    expect(statusesAfter('ready', ...misses, 'ready', ...misses).at(-1)).toBe('ready');
  });

  it('does not change on a timeout while the backend starts', () => {
    expect(statusesAfter('unreachable', 'timed-out', 'timed-out')).toEqual([
      'starting',
      'starting',
      'starting',
    ]);
    expect(statusesAfter('loading', 'timed-out')).toEqual(['loading', 'loading']);
  });

  it('keeps the time when it began', () => {
    const ready = nextStatus(initialProbedState(0), 'ready', 10);
    expect(ready.since).toBe(10);
    expect(nextStatus(ready, 'ready', 20).since).toBe(10);
    expect(nextStatus(ready, 'unreachable', 30).since).toBe(30);
  });
});
