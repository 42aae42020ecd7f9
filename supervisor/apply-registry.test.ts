import { beforeEach, describe, expect, it } from 'vitest';
import { parseRegistry } from '../models/parse-registry.ts';
import type { ModelRecord } from '../models/registry.ts';
import { applyRegistry } from './apply-registry.ts';
import type { EngineConfig } from './config.ts';
import type { Engine } from './engine.ts';
import { ServedModel } from './served-model.ts';

/** What a changed registry reads and calls of an engine. */
class FakeEngine {
  readonly calls: string[] = [];
  status = 'loaded';
  isUnloading = false;
  isReplacing = false;
  /** Whether it can be restarted now. */
  isFree = true;

  get process() {
    return this.status === 'unloaded' ? undefined : {};
  }
  unload() {
    this.calls.push('unload');
    this.isUnloading = true;
  }
  reconfigure(config: EngineConfig) {
    if (this.isFree) this.calls.push(`reconfigure ${config.engine.ctx}`);
    return this.isFree;
  }
}

let engines: FakeEngine[];
beforeEach(() => {
  engines = [];
});

const factory = {
  create(record: ModelRecord, isFromStart: boolean): ServedModel {
    const own = Array.from({ length: record.replicas }, () => new FakeEngine());
    engines.push(...own);
    return new ServedModel({ id: record.id, engines: own as unknown as Engine[], record, isFromStart });
  },
  configOf: (record: ModelRecord) => ({ engine: { ctx: record.ctx } }) as EngineConfig,
};

const registryOf = (...models: readonly object[]) =>
  parseRegistry(
    JSON.stringify({ version: 1, models: models.map((model) => ({ path: '/m.gguf', ...model })) }),
    '/m',
  );
const start = (...models: readonly object[]) => applyRegistry([], registryOf(...models), factory);
const idsOf = (models: readonly ServedModel[]) => models.map(({ id }) => id);

describe('a changed registry', () => {
  it('adds models, in its order, and keeps the others as they are', () => {
    const before = start({ id: 'a' });
    const after = applyRegistry(before, registryOf({ id: 'b' }, { id: 'a' }), factory);
    expect([idsOf(after), after[1], engines[0]?.calls]).toEqual([['b', 'a'], before[0], []]);
  });

  it('removes a model when it has drained, and at once if it is not loaded', () => {
    const [kept, wanted] = [registryOf(), start({ id: 'a' }, { id: 'b' })];
    if (engines[1]) engines[1].status = 'unloaded';
    const draining = applyRegistry(wanted, kept, factory);
    expect([idsOf(draining), draining[0]?.isRemoved, engines[0]?.calls]).toEqual([['a'], true, ['unload']]);
    if (engines[0]) engines[0].status = 'unloaded';
    expect(applyRegistry(draining, kept, factory)).toEqual([]);
  });

  it('creates a removed model that comes back only when the old one is gone', () => {
    const draining = applyRegistry(start({ id: 'a' }), registryOf(), factory);
    expect(draining[0]?.state.removed).toBe(true);
    const still = applyRegistry(draining, registryOf({ id: 'a' }), factory);
    expect(still).toEqual(draining);
    // For its clients it is there again.
    expect(draining[0]?.state.removed).toBe(false);
    draining[0]?.usage.record(0, { waiting: 1, oldestWaitMs: 0 }, 5000);
    if (engines[0]) engines[0].status = 'unloaded';
    const [fresh] = applyRegistry(still, registryOf({ id: 'a' }), factory);
    expect([fresh?.isRemoved, fresh === draining[0]]).toEqual([false, false]);
    expect(fresh?.usage.wantedSince).toBe(5000);
  });

  it('drains a removed model that still loads: the gateway may have seen before us that it is ready', () => {
    const before = start({ id: 'a' });
    if (engines[0]) engines[0].status = 'loading';
    applyRegistry(before, registryOf(), factory);
    expect(engines[0]?.calls).toEqual(['unload']);
  });

  it('restarts a loaded model once, with its new arguments', () => {
    const before = start({ id: 'a', ctx: 512 });
    const changed = registryOf({ id: 'a', ctx: 1024 });
    applyRegistry(applyRegistry(before, changed, factory), changed, factory);
    expect(engines[0]?.calls).toEqual(['reconfigure 1024']);
  });

  it('waits with that while something else is under way at the engine', () => {
    const before = start({ id: 'a', ctx: 512, replicas: 2 });
    const changed = registryOf({ id: 'a', ctx: 1024, replicas: 2 });
    const [first, second] = engines;
    if (!first || !second) throw new Error('no engines');
    first.isUnloading = true;
    second.isFree = false;
    applyRegistry(before, changed, factory);
    expect([first.calls, second.calls]).toEqual([[], []]);
    first.isUnloading = false;
    second.isFree = true;
    applyRegistry(before, changed, factory);
    expect([first.calls, second.calls]).toEqual([['reconfigure 1024'], ['reconfigure 1024']]);
  });

  it('applies all other fields at once', () => {
    const before = start({ id: 'a' });
    expect(before[0]?.pin).toBe(false);
    const [after] = applyRegistry(before, registryOf({ id: 'a', pin: true }), factory);
    expect([after?.pin, engines[0]?.calls]).toEqual([true, []]);
  });

  it('with another number of replicas replaces the engines', () => {
    const before = start({ id: 'a' });
    const draining = applyRegistry(before, registryOf({ id: 'a', replicas: 2 }), factory);
    if (engines[0]) engines[0].status = 'unloaded';
    const [after] = applyRegistry(draining, registryOf({ id: 'a', replicas: 2 }), factory);
    expect(after?.engines.length).toBe(2);
  });
});
