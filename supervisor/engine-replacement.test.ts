import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SupervisorConfig } from './config.ts';
import { EnginePlan } from './engine-plan.ts';
import { EngineReplacement } from './engine-replacement.ts';

const first = { drainTimeoutMs: 1 } as SupervisorConfig;
const second = { drainTimeoutMs: 2 } as SupervisorConfig;

let plan: EnginePlan;
let replaceEngine: ReturnType<typeof vi.fn<() => void>>;
let replacement: EngineReplacement;

beforeEach(() => {
  vi.useFakeTimers();
  plan = new EnginePlan(first);
  replaceEngine = vi.fn<() => void>();
  replacement = new EngineReplacement({
    plan,
    check: (changes) =>
      'PORT' in changes ? { ok: false, problems: ['PORT: no'] } : { ok: true, config: second, warnings: [] },
    drainTimeoutMs: 25_000,
    replaceEngine,
    onChange: () => {},
  });
});
afterEach(() => void vi.useRealTimers());

describe('an engine that is replaced on purpose', () => {
  it('goes as soon as nothing is at it, and the new one stays when it is ready', () => {
    expect(replacement.ask({ CTX: '4096' })).toEqual({ outcome: 'accepted' });
    expect([replaceEngine.mock.calls.length, plan.current]).toEqual([0, first]);
    replacement.held();
    expect([replaceEngine.mock.calls.length, plan.current]).toEqual([1, second]);
    replacement.engineReady();
    expect(replacement.isUnderWay).toBe(false);
    expect(replacement.report).toMatchObject({ state: 'done', changes: ['CTX'], failure: null });
    expect(replacement.takeBack('killed')).toBe(false);
    expect(plan.current).toBe(second);
  });

  it('goes after the time to drain, whoever is still there', () => {
    replacement.ask({});
    vi.advanceTimersByTime(24_999);
    expect(replaceEngine).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(replaceEngine).toHaveBeenCalledOnce();
    replacement.held();
    expect(replaceEngine).toHaveBeenCalledOnce();
  });

  it('comes back as it was where the new one does not load', () => {
    replacement.ask({ MODEL_NAME: 'bad' });
    replacement.held();
    expect(replacement.takeBack('bad-model')).toBe(true);
    expect(plan.current).toBe(first);
    expect(replacement.takeBack('out-of-vram')).toBe(false);
    replacement.engineReady();
    expect(replacement.report).toMatchObject({ state: 'fell-back', failure: 'bad-model' });
    expect(replacement.ask({})).toEqual({ outcome: 'accepted' });
    expect(replacement.report).toMatchObject({ state: 'draining', failure: null });
  });

  it('has nothing to fall back to where nothing was changed', () => {
    replacement.ask({});
    replacement.held();
    expect(replacement.takeBack('killed')).toBe(false);
  });

  it('is not replaced twice at once, nor with mistakes, nor while the house stops', () => {
    expect(replacement.ask({ PORT: '1' })).toEqual({ outcome: 'refused', problems: ['PORT: no'] });
    expect(replacement.isUnderWay).toBe(false);
    replacement.ask({});
    expect(replacement.ask({})).toEqual({ outcome: 'under-way' });
    replacement.stop();
    expect(replacement.ask({})).toEqual({ outcome: 'stopping' });
    vi.advanceTimersByTime(60_000);
    expect(replaceEngine).not.toHaveBeenCalled();
  });
});
