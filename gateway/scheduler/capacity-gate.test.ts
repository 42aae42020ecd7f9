import { beforeEach, expect, it } from 'vitest';
import type { BackendStatus } from '../../health/backend-status.ts';
import type { BackendProps } from '../../health/props.ts';
import { CapacityGate } from './capacity-gate.ts';
import { createCountingScheduler } from './counting-scheduler.ts';
import { Scheduler } from './scheduler.ts';

const factsWith = (slots: number): BackendProps => ({
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
let admission: Scheduler;
let countingPlaces: Scheduler;
let gate: CapacityGate;

beforeEach(() => {
  backend = { status: 'ready', props: factsWith(2), refresh: async () => {} };
  const options = { maxWaiting: 10, maxWaitingPerLane: 10, timeoutMs: 60_000 };
  admission = new Scheduler(options);
  countingPlaces = createCountingScheduler(options);
  gate = new CapacityGate({
    scheduler: admission,
    countingScheduler: countingPlaces,
    watch: backend,
    maxConcurrent: undefined,
  });
  gate.updateCapacity();
});

async function enter(where = admission) {
  const admitted = await where.admit({ lane, slots: 1, signal: new AbortController().signal });
  if (admitted.outcome !== 'granted') throw new Error(admitted.outcome);
  return admitted.lease;
}

it('opens and closes with the backend', () => {
  expect(admission.counts.capacity).toBe(2);
  backend.status = 'restarting';
  gate.updateCapacity();
  expect([gate.status, admission.counts.capacity]).toEqual(['restarting', 0]);
});

it('held, lets nothing in, and tells when the last has left, those without a slot included', async () => {
  const [running, counting] = [await enter(), await enter(countingPlaces)];
  let isHeld = false;
  const held = gate.pause().then(() => {
    isHeld = true;
  });
  const waiting = enter();
  expect([gate.status, admission.counts]).toEqual(['restarting', { capacity: 0, leased: 1, waiting: 1 }]);
  running[Symbol.dispose]();
  await Promise.resolve();
  expect(isHeld).toBe(false);
  counting[Symbol.dispose]();
  await held;
  expect(admission.counts).toEqual({ capacity: 0, leased: 0, waiting: 1 });
  await gate.resume();
  expect((await waiting).slots).toBe(1);
});

it('released, has as many places as the new backend has slots', async () => {
  await gate.pause();
  backend.refresh = async () => {
    backend.props = factsWith(7);
  };
  gate.updateCapacity();
  expect(admission.counts.capacity).toBe(0);
  await gate.resume();
  expect([gate.status, admission.counts.capacity]).toEqual(['ready', 7]);
});

it('held again while it is being released, stays closed', async () => {
  await gate.pause();
  const released = gate.resume();
  await gate.pause();
  await released;
  expect(admission.counts.capacity).toBe(0);
});
