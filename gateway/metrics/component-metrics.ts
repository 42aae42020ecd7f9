import type { Registry } from 'prom-client';
import type { BackendMonitor } from '../../health/backend-monitor.ts';
import type { BackendStatus } from '../../health/backend-status.ts';
import { type Key, priorities } from '../../keys/key.ts';
import { getKeyStatus, type KeyStatus } from '../../keys/key-status.ts';
import type { KeyStore } from '../../keys/key-store.ts';
import type { RateCounters, Sharing } from '../limits/rate-counters.ts';
import type { FailedLogins } from '../middleware/failed-logins.ts';
import type { LiveRequests } from '../proxy/live-requests.ts';
import { priorityForWeight } from '../scheduler/lane.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { UsageLedger } from '../usage/usage-ledger.ts';
import type { MetricSample } from './catalogue.ts';
import { backend, endpointPicker, keys as keyMetrics, queue, requests } from './catalogue.ts';
import { registerSamples, registerValue } from './register.ts';

/** The owners of what is shown; each is asked at the scrape and pays nothing before. */
export interface MetricSources {
  readonly admission: Pick<Scheduler, 'counts' | 'granted' | 'outcomes' | 'waitingByWeight' | 'isDraining'>;
  readonly maxWaiting: number;
  readonly watch: Pick<BackendMonitor, 'status' | 'since' | 'props'>;
  readonly live: Pick<LiveRequests, 'count'>;
  readonly buckets: Pick<RateCounters, 'sharing' | 'outages'>;
  /** Undefined where authentication is off. */
  readonly keys: Pick<KeyStore, 'ring' | 'problem' | 'loadedAt' | 'failures'> | undefined;
  readonly keyMaxAgeMs: number | undefined;
  readonly failedLogins: Pick<FailedLogins, 'total'>;
  readonly ledger: Pick<UsageLedger, 'problem'>;
  readonly costPerHour: number | undefined;
}

export const statuses: readonly BackendStatus[] = [
  'starting',
  'loading',
  'ready',
  'restarting',
  'failed',
  'draining',
];
const sharings: readonly Sharing[] = ['off', 'together', 'alone'];

export function registerComponentMetrics(registry: Registry, rooms: MetricSources): void {
  showLine(registry, rooms);
  showBackend(registry, rooms);
  showKeys(registry, rooms);
  registerValue(registry, requests.inFlight, () => rooms.live.count);
  registerSamples(registry, queue.limitsSharing, () =>
    sharings.map((sharing) => [{ sharing }, Number(sharing === rooms.buckets.sharing)] as const),
  );
  registerValue(registry, queue.limitsFallbacks, () => rooms.buckets.outages);
}

function showLine(registry: Registry, { admission, maxWaiting }: MetricSources): void {
  registerSamples(registry, queue.depth, () => depths(admission.waitingByWeight));
  registerValue(registry, queue.limit, () => maxWaiting);
  registerSamples(registry, queue.admissions, () => admissionsOf(admission));
  registerValue(registry, queue.slots, () => admission.counts.capacity);
  registerValue(registry, queue.leased, () => admission.counts.leased);
  registerValue(registry, endpointPicker.waiting, () => admission.counts.waiting);
  registerValue(registry, endpointPicker.running, () => admission.counts.leased);
}

function depths(byWeight: ReadonlyMap<number, number>): MetricSample<'priority'>[] {
  const byPriority = new Map([...byWeight].map(([weight, count]) => [priorityForWeight(weight), count]));
  return priorities.map((priority) => [{ priority }, byPriority.get(priority) ?? 0]);
}

function admissionsOf({ outcomes }: MetricSources['admission']): MetricSample<'outcome' | 'priority'>[] {
  return [...outcomes].flatMap(([weight, counts]) =>
    Object.entries(counts).map(
      ([outcome, count]): MetricSample<'outcome' | 'priority'> => [
        { outcome, priority: priorityForWeight(weight) },
        count,
      ],
    ),
  );
}

function showBackend(registry: Registry, { watch, admission, costPerHour }: MetricSources): void {
  registerSamples(registry, backend.status, () =>
    oneHot(statuses, admission.isDraining ? 'draining' : watch.status),
  );
  registerValue(registry, backend.context, () => watch.props?.contextPerSlot);
  registerValue(registry, backend.costPerHour, () => costPerHour);
}

/** A series for each standing there is, 1 for the one that holds. */
export function oneHot(all: readonly string[], now: string): MetricSample<'standing'>[] {
  return all.map((standing) => [{ standing }, Number(standing === now)]);
}

function showKeys(registry: Registry, { keys, keyMaxAgeMs, failedLogins, ledger }: MetricSources): void {
  registerSamples(registry, keyMetrics.count, () => (keys ? keysByState(keys) : []));
  const count = (matches: (status: KeyStatus) => boolean) => () =>
    keys && countKeys(keys.ring.keys, (key, now) => matches(getKeyStatus(key, now, keyMaxAgeMs)));
  registerValue(
    registry,
    keyMetrics.expiring,
    count((status) => status.expiresSoon),
  );
  registerValue(
    registry,
    keyMetrics.oldSecrets,
    count((status) => status.secretIsOld),
  );
  registerValue(registry, keyMetrics.broken, () => keys && Number(keys.problem !== undefined));
  registerValue(registry, keyMetrics.failures, () => keys?.failures);
  registerValue(registry, keyMetrics.loadedAt, () => keys?.loadedAt && keys.loadedAt / 1000);
  registerValue(registry, keyMetrics.failedLogins, () => failedLogins.total);
  registerValue(registry, keyMetrics.ledgerDegraded, () => Number(ledger.problem !== undefined));
}

function countKeys(keys: readonly Key[], matches: (key: Key, now: number) => boolean): number {
  const now = Date.now();
  let count = 0;
  for (const key of keys) if (matches(key, now)) count += 1;
  return count;
}

function keysByState(keys: NonNullable<MetricSources['keys']>): MetricSample<'state'>[] {
  const counts = { active: 0, disabled: 0, expired: 0 };
  const now = Date.now();
  for (const key of keys.ring.keys) counts[getKeyStatus(key, now).state] += 1;
  return Object.entries(counts).map(([state, count]) => [{ state }, count]);
}
