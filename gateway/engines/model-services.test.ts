import { describe, expect, it } from 'vitest';
import type { GatewayConfig } from '../config.ts';
import { modelNotFound } from '../errors/catalogue.ts';
import type { EngineServices } from './engine-services.ts';
import { ModelServices } from './model-services.ts';

const config = {
  admission: { maxWaiting: 10, maxWaitingPerLane: 10, timeoutMs: 1000, maxConcurrent: undefined },
  timeouts: {},
} as GatewayConfig;

function modelWith(concurrent: number, ...statuses: string[]) {
  const model = new ModelServices(
    config,
    { id: 'a', limits: { concurrent } } as ModelServices['record'],
    { status: 'loaded', removed: false } as ModelServices['state'],
  );
  const engines = statuses.map(
    (status) =>
      ({ monitor: { status }, scheduler: {}, gate: { updateCapacity() {} } }) as unknown as EngineServices,
  );
  for (const engine of engines) model.add(engine);
  return engines.map((engine) => model.maxConcurrentOf(engine));
}

describe('the limit of concurrent requests of a model', () => {
  it('is shared out among its engines and never exceeded', () => {
    expect(modelWith(4, 'ready', 'ready')).toEqual([2, 2]);
    expect(modelWith(5, 'ready', 'ready', 'ready')).toEqual([2, 2, 1]);
    expect(modelWith(1, 'ready', 'ready')).toEqual([1, 0]);
  });

  it('is left to those that serve', () => {
    expect(modelWith(1, 'restarting', 'ready')).toEqual([0, 1]);
    expect(modelWith(6, 'ready', 'loading', 'ready')).toEqual([3, 0, 3]);
  });
});

describe('the queue of a model', () => {
  const limitsWith = (admission: object, queueSize: number) =>
    new ModelServices(
      { ...config, admission: { ...config.admission, ...admission } },
      { id: 'a', limits: { queueSize } } as ModelServices['record'],
      { status: 'loaded', removed: false } as ModelServices['state'],
    ).limits;

  it('has its own size, also for a single key', () => {
    expect(limitsWith({}, 50)).toMatchObject({ maxWaiting: 50, maxWaitingPerLane: 50 });
    expect(limitsWith({}, 5)).toMatchObject({ maxWaiting: 5, maxWaitingPerLane: 5 });
  });

  it('keeps the limit of MAX_QUEUE_PER_KEY', () => {
    expect(limitsWith({ maxWaitingPerLane: 7 }, 50)).toMatchObject({ maxWaiting: 50, maxWaitingPerLane: 7 });
    expect(limitsWith({ maxWaitingPerLane: 7 }, 5)).toMatchObject({ maxWaiting: 5, maxWaitingPerLane: 5 });
  });
});

it('a model that has lost its last engine does not exist, for lines of batches as for all other requests', () => {
  const record = { id: 'a', limits: {} } as ModelServices['record'];
  const model = new ModelServices(config, record, {
    status: 'loaded',
    removed: false,
  } as ModelServices['state']);
  expect(() => model.pickEngine(undefined)).toThrow(modelNotFound('a'));
  expect(() => model.pickIdleEngine()).toThrow(modelNotFound('a'));
});
