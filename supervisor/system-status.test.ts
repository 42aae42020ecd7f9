import { describe, expect, it } from 'vitest';
import { type EngineState, engineStatus, type SystemState, systemStatus } from './system-status.ts';

const serving: SystemState = {
  stopping: false,
  failed: false,
  engines: 'ready',
  gatewayUp: true,
  everReady: true,
};
const statusOf = (change: Partial<SystemState>) => systemStatus({ ...serving, ...change });
const engineStatusOf = (change: Partial<EngineState>) =>
  engineStatus({ phase: 'running', isReplacing: false, backend: 'ready', ...change });

describe('the status of the system', () => {
  it('is ready only if gateway and engines serve', () => {
    expect(statusOf({})).toBe('ready');
    expect(statusOf({ gatewayUp: false, everReady: false })).toBe('loading');
    expect(statusOf({ gatewayUp: false })).toBe('restarting');
  });

  it("is the engines' during the start", () => {
    expect(statusOf({ engines: 'starting', gatewayUp: false })).toBe('starting');
    expect(statusOf({ engines: 'loading' })).toBe('loading');
  });

  it('is draining or failed before all else', () => {
    expect(statusOf({ stopping: true, engines: 'restarting' })).toBe('draining');
    expect(statusOf({ stopping: true, failed: true })).toBe('failed');
  });
});

describe('the status of an engine', () => {
  it('is restarting from the moment llama-server exits, whatever the last probe returned', () => {
    expect(engineStatusOf({ phase: 'waiting' })).toBe('restarting');
    expect(engineStatusOf({ phase: 'replacing' })).toBe('restarting');
  });

  it('is restarting while llama-server drains before its replacement, and then that of the new one', () => {
    expect(engineStatusOf({ isReplacing: true })).toBe('restarting');
    expect(engineStatusOf({ isReplacing: true, backend: 'loading' })).toBe('loading');
  });
});
