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

describe('the status of the system', () => {
  it('is ready only if both children serve', () => {
    expect(standingOf({})).toBe('ready');
    expect(standingOf({ gatewayUp: false, everReady: false })).toBe('loading');
    expect(standingOf({ gatewayUp: false })).toBe('restarting');
  });

  it("is the backend's during the start", () => {
    expect(standingOf({ backend: 'starting', gatewayUp: false })).toBe('starting');
    expect(standingOf({ backend: 'loading' })).toBe('loading');
  });

  it('is restarting from the moment llama-server exits, whatever the last probe returned', () => {
    expect(standingOf({ enginePhase: 'waiting' })).toBe('restarting');
    expect(standingOf({ enginePhase: 'replacing' })).toBe('restarting');
  });

  it('is restarting while llama-server drains before its replacement, and then that of the new one', () => {
    expect(standingOf({ replacing: true })).toBe('restarting');
    expect(standingOf({ replacing: true, backend: 'loading' })).toBe('loading');
  });

  it('is draining or failed before all else', () => {
    expect(standingOf({ stopping: true, enginePhase: 'stopped' })).toBe('draining');
    expect(standingOf({ stopping: true, failed: true })).toBe('failed');
  });
});
