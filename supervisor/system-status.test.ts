import { describe, expect, it } from 'vitest';
import { type SystemState, systemStatus } from './system-status.ts';

const serving: SystemState = {
  stopping: false,
  failed: false,
  replacing: false,
  enginePhase: 'running',
  backend: 'ready',
  gatewayUp: true,
  everReady: true,
};
const standingOf = (change: Partial<SystemState>) => systemStatus({ ...serving, ...change });

describe('the standing of the house', () => {
  it('is ready only where both children serve', () => {
    expect(standingOf({})).toBe('ready');
    expect(standingOf({ gatewayUp: false, everReady: false })).toBe('loading');
    expect(standingOf({ gatewayUp: false })).toBe('restarting');
  });

  it("is the backend's while that comes up", () => {
    expect(standingOf({ backend: 'starting', gatewayUp: false })).toBe('starting');
    expect(standingOf({ backend: 'loading' })).toBe('loading');
  });

  it('is restarting from the moment at which llama-server ended, whatever the last probe said', () => {
    expect(standingOf({ enginePhase: 'waiting' })).toBe('restarting');
    expect(standingOf({ enginePhase: 'replacing' })).toBe('restarting');
  });

  it('is restarting while llama-server finishes what runs before it is replaced, and then as the new one is', () => {
    expect(standingOf({ replacing: true })).toBe('restarting');
    expect(standingOf({ replacing: true, backend: 'loading' })).toBe('loading');
  });

  it('is draining or failed above all else', () => {
    expect(standingOf({ stopping: true, enginePhase: 'stopped' })).toBe('draining');
    expect(standingOf({ stopping: true, failed: true })).toBe('failed');
  });
});
