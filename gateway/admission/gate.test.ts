import { beforeEach, expect, it } from 'vitest';
import type { BackendFacts } from '../../health/facts.ts';
import type { Standing } from '../../health/standing.ts';
import { Admission } from './admission.ts';
import { openCountingPlaces } from './counting-places.ts';
import { Gate } from './gate.ts';

const factsWith = (slots: number): BackendFacts => ({
  slots,
  contextPerSlot: 512,
  modelAlias: 'demo',
  modelPath: undefined,
  modalities: { vision: false, audio: false },
  buildInfo: undefined,
  sleeping: false,
});
const lane = { id: 'k', share: 2, concurrent: 10 };

let backend: { standing: Standing; facts: BackendFacts | undefined; relearn: () => Promise<void> };
let admission: Admission;
let countingPlaces: Admission;
let gate: Gate;

beforeEach(() => {
  backend = { standing: 'ready', facts: factsWith(2), relearn: async () => {} };
  const options = { maxWaiting: 10, maxWaitingPerLane: 10, timeoutMs: 60_000 };
  admission = new Admission(options);
  countingPlaces = openCountingPlaces(options);
  gate = new Gate({ admission, countingPlaces, watch: backend, maxConcurrent: undefined });
  gate.follow();
});

async function enter(where = admission) {
  const admitted = await where.admit({ lane, weight: 1, signal: new AbortController().signal });
  if (admitted.outcome !== 'granted') throw new Error(admitted.outcome);
  return admitted.lease;
}

it('opens and closes with the backend', () => {
  expect(admission.counts.capacity).toBe(2);
  backend.standing = 'restarting';
  gate.follow();
  expect([gate.standing, admission.counts.capacity]).toEqual(['restarting', 0]);
});

it('held, lets nothing in, and tells when the last has left, those without a slot included', async () => {
  const [running, counting] = [await enter(), await enter(countingPlaces)];
  let isHeld = false;
  const held = gate.hold().then(() => {
    isHeld = true;
  });
  const waiting = enter();
  expect([gate.standing, admission.counts]).toEqual(['restarting', { capacity: 0, leased: 1, waiting: 1 }]);
  running[Symbol.dispose]();
  await Promise.resolve();
  expect(isHeld).toBe(false);
  counting[Symbol.dispose]();
  await held;
  expect(admission.counts).toEqual({ capacity: 0, leased: 0, waiting: 1 });
  await gate.release();
  expect((await waiting).weight).toBe(1);
});

it('released, has as many places as the new backend has slots', async () => {
  await gate.hold();
  backend.relearn = async () => {
    backend.facts = factsWith(7);
  };
  gate.follow();
  expect(admission.counts.capacity).toBe(0);
  await gate.release();
  expect([gate.standing, admission.counts.capacity]).toEqual(['ready', 7]);
});

it('held again while it is being released, stays closed', async () => {
  await gate.hold();
  const released = gate.release();
  await gate.hold();
  await released;
  expect(admission.counts.capacity).toBe(0);
});
