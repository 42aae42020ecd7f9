import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EngineConfig } from './config.ts';
import { EngineConfigs, EngineReplacement } from './engine-replacement.ts';

const first = { drainTimeoutMs: 1 } as EngineConfig;
const second = { drainTimeoutMs: 2 } as EngineConfig;

let configs: EngineConfigs;
let replaceEngine: ReturnType<typeof vi.fn<() => void>>;
let replacement: EngineReplacement;

beforeEach(() => {
  vi.useFakeTimers();
  configs = new EngineConfigs(first);
  replaceEngine = vi.fn<() => void>();
  replacement = new EngineReplacement({
    configs,
    plan: (changes) =>
      'PORT' in changes ? { ok: false, problems: ['PORT: no'] } : { ok: true, config: second, warnings: [] },
    drainTimeoutMs: 25_000,
    replaceEngine,
    onChange: () => {},
  });
});
afterEach(() => void vi.useRealTimers());

describe('a requested restart', () => {
  it('replaces the engine once it is drained, and commits the changes when the new one is ready', () => {
    expect(replacement.request({ CTX: '4096' })).toEqual({ outcome: 'accepted' });
    expect([replaceEngine.mock.calls.length, configs.current]).toEqual([0, first]);
    replacement.drained();
    expect([replaceEngine.mock.calls.length, configs.current]).toEqual([1, second]);
    replacement.engineReady();
    expect(replacement.isInProgress).toBe(false);
    expect(replacement.report).toMatchObject({ state: 'done', changes: ['CTX'], failure: null });
    expect(replacement.rollBack('killed')).toBe(false);
    expect(configs.current).toBe(second);
  });

  it('replaces the engine after the drain timeout even if requests still run', () => {
    replacement.request({});
    vi.advanceTimersByTime(24_999);
    expect(replaceEngine).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(replaceEngine).toHaveBeenCalledOnce();
    replacement.drained();
    expect(replaceEngine).toHaveBeenCalledOnce();
  });

  it('rolls back if the engine does not load with the changes', () => {
    replacement.request({ MODEL_NAME: 'bad' });
    replacement.drained();
    expect(replacement.rollBack('bad-model')).toBe(true);
    expect(configs.current).toBe(first);
    expect(replacement.rollBack('out-of-vram')).toBe(false);
    replacement.engineReady();
    expect(replacement.report).toMatchObject({ state: 'fell-back', failure: 'bad-model' });
    expect(replacement.request({})).toEqual({ outcome: 'accepted' });
    expect(replacement.report).toMatchObject({ state: 'draining', failure: null });
  });

  it('cannot roll back if nothing was changed', () => {
    replacement.request({});
    replacement.drained();
    expect(replacement.rollBack('killed')).toBe(false);
  });

  it('is rejected during another one, with problems in the changes, and during a shutdown', () => {
    expect(replacement.request({ PORT: '1' })).toEqual({ outcome: 'rejected', problems: ['PORT: no'] });
    expect(replacement.isInProgress).toBe(false);
    replacement.request({});
    expect(replacement.request({})).toEqual({ outcome: 'in-progress' });
    replacement.stop();
    expect(replacement.request({})).toEqual({ outcome: 'stopping' });
    vi.advanceTimersByTime(60_000);
    expect(replaceEngine).not.toHaveBeenCalled();
  });
});
