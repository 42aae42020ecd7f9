import { describe, expect, it } from 'vitest';
import type { BackendStatus } from '../health/backend.ts';
import {
  bestStatus,
  type EngineStatusInput,
  engineStatus,
  type ModelCondition,
  modelsStatus,
  type SystemState,
  systemStatus,
} from './system-status.ts';

const serving: SystemState = {
  stopping: false,
  failed: false,
  engines: 'ready',
  gatewayUp: true,
  everReady: true,
};
const statusOf = (change: Partial<SystemState>) => systemStatus({ ...serving, ...change });
const engineStatusOf = (change: Partial<EngineStatusInput>) =>
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

describe('the status of several models', () => {
  const required = (backendStatus: BackendStatus, wasReady = false): ModelCondition => ({
    ...{ backendStatus, wasReady, isRequired: true },
  });
  const optional = (backendStatus: BackendStatus): ModelCondition => ({
    ...{ backendStatus, wasReady: false, isRequired: false },
  });

  it('is that of the only one', () => {
    for (const status of ['starting', 'loading', 'ready', 'restarting'] as const)
      expect(modelsStatus([required(status)])).toBe(status);
  });

  it('is ready only if all required ones are, whatever the others are', () => {
    expect(modelsStatus([required('ready'), optional('failed'), optional('loading')])).toBe('ready');
    expect(modelsStatus([required('ready'), required('loading')])).toBe('loading');
    expect(modelsStatus([required('ready'), required('starting')])).toBe('loading');
    expect(modelsStatus([required('starting'), required('starting')])).toBe('starting');
    expect(modelsStatus([required('ready'), required('restarting')])).toBe('restarting');
  });

  it('is not ready with a required one that has failed, but does not end the others', () => {
    expect(modelsStatus([required('ready'), required('failed')])).toBe('loading');
    expect(modelsStatus([required('ready'), required('failed', true)])).toBe('restarting');
  });

  it('is ready without required ones as long as one is able to load', () => {
    expect(modelsStatus([optional('starting'), optional('failed')])).toBe('ready');
    expect(modelsStatus([optional('failed'), optional('failed')])).toBe('failed');
  });
});

describe('the status of a model with replicas', () => {
  it('is that of the best', () => {
    expect(bestStatus(['restarting', 'ready'])).toBe('ready');
    expect(bestStatus(['failed', 'loading'])).toBe('loading');
    expect(bestStatus(['failed', 'unloaded'])).toBe('failed');
    expect(bestStatus(['unloaded'])).toBe('starting');
  });
});
