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
const statusOf = (change: Partial<SystemState>) => systemStatus({ ...serving, ...change });

describe('the status of the system', () => {
  it('is ready only if both children serve', () => {
    expect(statusOf({})).toBe('ready');
    expect(statusOf({ gatewayUp: false, everReady: false })).toBe('loading');
    expect(statusOf({ gatewayUp: false })).toBe('restarting');
  });

  it("is the backend's during the start", () => {
    expect(statusOf({ backend: 'starting', gatewayUp: false })).toBe('starting');
    expect(statusOf({ backend: 'loading' })).toBe('loading');
  });

  it('is restarting from the moment llama-server exits, whatever the last probe returned', () => {
    expect(statusOf({ enginePhase: 'waiting' })).toBe('restarting');
    expect(statusOf({ enginePhase: 'replacing' })).toBe('restarting');
  });

  it('is restarting while llama-server drains before its replacement, and then that of the new one', () => {
    expect(statusOf({ replacing: true })).toBe('restarting');
    expect(statusOf({ replacing: true, backend: 'loading' })).toBe('loading');
  });

  it('is draining or failed before all else', () => {
    expect(statusOf({ stopping: true, enginePhase: 'stopped' })).toBe('draining');
    expect(statusOf({ stopping: true, failed: true })).toBe('failed');
  });
});
