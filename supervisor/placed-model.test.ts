import { describe, expect, it } from 'vitest';
import { parseRegistry } from '../models/parse-registry.ts';
import type { Engine } from './engine.ts';
import { placedModel } from './placed-model.ts';
import { ServedModel } from './served-model.ts';

const idle = {
  status: 'loaded',
  process: {},
  isUnloading: false,
  isStopping: false,
  isReplacing: false,
  bootTimes: { loaded: 900 },
};

function modelOf(engines: readonly object[], fields: object = {}): ServedModel {
  const text = JSON.stringify({ version: 1, models: [{ id: 'm', path: '/m.gguf', ...fields }] });
  const [record] = parseRegistry(text, '/m').models;
  if (!record) throw new Error('no model');
  return new ServedModel({ id: 'm', engines: engines as readonly Engine[], record, isFromStart: true });
}
const stateOf = (...engines: readonly object[]) => placedModel(modelOf(engines), 1, 0).state;

describe('a model for the placement', () => {
  it('has the state of its engines together', () => {
    expect(stateOf(idle)).toBe('loaded');
    expect(stateOf({ ...idle, status: 'sleeping' })).toBe('loaded');
    expect(stateOf({ ...idle, status: 'unloaded', process: undefined })).toBe('unloaded');
    expect(stateOf({ ...idle, isUnloading: true }, idle)).toBe('draining');
    expect(stateOf({ ...idle, isUnloading: true, isStopping: true }, idle)).toBe('unloading');
  });

  it('cannot be resumed while it is unloaded to take up a change', () => {
    const model = modelOf([{ ...idle, status: 'loading', isUnloading: true }]);
    expect(placedModel(model, 1, 0).state).toBe('draining');
    model.record = modelOf([], { ctx: 1024 }).record;
    expect(placedModel(model, 1, 0).state).toBe('unloading');
  });

  it('is not unloaded while it is restarted', () => {
    expect(stateOf({ ...idle, isReplacing: true })).toBe('loading');
  });

  it('takes memory until its failed process has ended', () => {
    expect(stateOf({ ...idle, status: 'failed' })).toBe('unloading');
    expect(stateOf({ ...idle, status: 'failed', process: undefined })).toBe('failed');
  });

  it('that was removed is neither pinned nor waited for', () => {
    const model = modelOf([idle], { pin: true });
    model.usage.request(5);
    expect(placedModel(model, 7, 0)).toMatchObject({ pin: true, wantedSince: 5, need: 7, loadMs: 900 });
    model.isRemoved = true;
    expect(placedModel(model, 7, 0)).toMatchObject({ pin: false, wantedSince: undefined });
  });
});
