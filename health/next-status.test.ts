import { describe, expect, it } from 'vitest';
import { initialProbedState, maxMissedProbes, nextStatus } from './next-status.ts';
import type { ProbeResult } from './probe.ts';

/** The standing after each of the probes, one second apart. */
function standingsAfter(...results: readonly ProbeResult[]) {
  let state = initialProbedState(0);
  return results.map((result, index) => {
    state = nextStatus(state, result, (index + 1) * 1000);
    return state.status;
  });
}

describe('the standing of a probed backend', () => {
  it('goes from starting over loading to ready', () => {
    expect(standingsAfter('unreachable', 'unreachable', 'loading', 'loading', 'ready')).toEqual([
      'starting',
      'starting',
      'loading',
      'loading',
      'ready',
    ]);
  });

  it('is restarting at once when a backend that was up cannot be reached', () => {
    expect(standingsAfter('ready', 'unreachable', 'loading', 'ready')).toEqual([
      'ready',
      'restarting',
      'loading',
      'ready',
    ]);
    expect(standingsAfter('loading', 'unreachable')).toEqual(['loading', 'restarting']);
  });

  it('stays ready through a few missed probes', () => {
    const misses = Array<ProbeResult>(maxMissedProbes).fill('deaf');
    expect(standingsAfter('ready', ...misses).at(-1)).toBe('ready');
    expect(standingsAfter('ready', ...misses, 'deaf').at(-1)).toBe('restarting');
    expect(standingsAfter('ready', ...misses, 'ready', ...misses).at(-1)).toBe('ready');
  });

  it('does not take silence for progress while the backend comes up', () => {
    expect(standingsAfter('unreachable', 'deaf', 'deaf')).toEqual(['starting', 'starting', 'starting']);
    expect(standingsAfter('loading', 'deaf')).toEqual(['loading', 'loading']);
  });

  it('keeps the time at which the standing began', () => {
    const ready = nextStatus(initialProbedState(0), 'ready', 10);
    expect(ready.since).toBe(10);
    expect(nextStatus(ready, 'ready', 20).since).toBe(10);
    expect(nextStatus(ready, 'unreachable', 30).since).toBe(30);
  });
});
