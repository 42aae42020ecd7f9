import { beforeEach, expect, it } from 'vitest';
import type { BackendStatus } from '../../health/backend.ts';
import type { BackendProps } from '../../health/props.ts';
import { CapacityGate } from './capacity-gate.ts';
import { createCountingScheduler } from './counting-scheduler.ts';
import { Scheduler } from './scheduler.ts';

const propsWith = (slots: number): BackendProps => ({
  slots,
  contextPerSlot: 512,
  modelAlias: 'demo',
  modelPath: undefined,
  modalities: { vision: false, audio: false },
  buildInfo: undefined,
  sleeping: false,
});
const lane = { id: 'k', weight: 2, maxConcurrent: 10 };

let backend: { status: BackendStatus; props: BackendProps | undefined; refresh: () => Promise<void> };
let scheduler: Scheduler;
let countingScheduler: Scheduler;
let gate: CapacityGate;

beforeEach(() => {
  backend = { status: 'ready', props: propsWith(2), refresh: async () => {} };
  const limits = { maxWaiting: 10, maxWaitingPerLane: 10, timeoutMs: 60_000 };
  scheduler = new Scheduler({ limits });
  countingScheduler = createCountingScheduler({ limits });
  gate = new CapacityGate({
    scheduler,
    countingScheduler,
    monitor: backend,
    maxConcurrent: () => undefined,
  });
  gate.updateCapacity();
});

async function admit(where = scheduler) {
  const result = await where.admit({ lane, slots: 1, signal: new AbortController().signal });
  if (result.outcome !== 'granted') throw new Error(result.outcome);
  return result.lease;
}

it('follows the status of the backend', () => {
  expect(scheduler.counts.capacity).toBe(2);
  backend.status = 'restarting';
  gate.updateCapacity();
  expect([gate.status, scheduler.counts.capacity]).toEqual(['restarting', 0]);
});

it('grants nothing while paused, and reports when the last request has ended, counting requests included', async () => {
  const [running, counting] = [await admit(), await admit(countingScheduler)];
  let isPaused = false;
  const paused = gate.pause().then(() => {
    isPaused = true;
  });
  const waiting = admit();
  expect([gate.status, scheduler.counts]).toEqual(['restarting', { capacity: 0, leased: 1, waiting: 1 }]);
  running[Symbol.dispose]();
  await Promise.resolve();
  expect(isPaused).toBe(false);
  counting[Symbol.dispose]();
  await paused;
  expect(scheduler.counts).toEqual({ capacity: 0, leased: 0, waiting: 1 });
  await gate.resume();
  expect((await waiting).slots).toBe(1);
});

it('has the slot count of the new backend after it resumes', async () => {
  await gate.pause();
  backend.refresh = async () => {
    backend.props = propsWith(7);
  };
  gate.updateCapacity();
  expect(scheduler.counts.capacity).toBe(0);
  await gate.resume();
  expect([gate.status, scheduler.counts.capacity]).toEqual(['ready', 7]);
});

it('remains closed if it is paused again while it resumes', async () => {
  await gate.pause();
  const resumed = gate.resume();
  await gate.pause();
  await resumed;
  expect(scheduler.counts.capacity).toBe(0);
});
