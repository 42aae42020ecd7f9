import type { Registry } from 'prom-client';
import type { BackendMonitor } from '../../health/backend-monitor.ts';
import { type Key, priorities } from '../../keys/key.ts';
import { getKeyStatus, type KeyStatus } from '../../keys/key-status.ts';
import type { KeyStore } from '../../keys/key-store.ts';
import type { EngineOverview } from '../engines/models-overview.ts';
import type { RateCounters, Sharing } from '../limits/rate-counters.ts';
import type { FailedLogins } from '../middleware/authenticate.ts';
import type { LiveRequests } from '../proxy/live-requests.ts';
import { classForWeight } from '../scheduler/lane.ts';
import {
  backend,
  batches,
  endpointPicker,
  keys as keyMetrics,
  type MetricSample,
  queue,
  requests,
} from './catalogue.ts';
import { registerSamples, registerValue, statusSamples } from './register.ts';

/** The components whose state is shown. They are read at the scrape only. */
export interface MetricSources {
  readonly scheduler: EngineOverview['scheduler'];
  readonly maxWaiting: number;
  readonly backendMonitor: Pick<BackendMonitor, 'status' | 'since' | 'props'>;
  readonly liveRequests: Pick<LiveRequests, 'count'>;
  readonly rateCounters: Pick<RateCounters, 'sharing' | 'outages'>;
  /** Undefined if authentication is off. */
  readonly keys: Pick<KeyStore, 'ring' | 'problem' | 'loadedAt' | 'failures'> | undefined;
  readonly keyMaxAgeMs: number | undefined;
  readonly failedLogins: Pick<FailedLogins, 'total'>;
  readonly ledger: {
    /** Why usage cannot be written; undefined if it can. */
    readonly problem: string | undefined;
  };
  readonly costPerHour: number | undefined;
}

const sharingModes: readonly Sharing[] = ['off', 'together', 'alone'];

export function registerComponentMetrics(registry: Registry, sources: MetricSources): void {
  registerQueueMetrics(registry, sources);
  registerBackendMetrics(registry, sources);
  registerKeyMetrics(registry, sources);
  const { liveRequests, rateCounters } = sources;
  registerValue(registry, requests.inFlight, () => liveRequests.count);
  registerSamples(registry, queue.limitsSharing, () =>
    sharingModes.map((sharing) => [{ sharing }, Number(sharing === rateCounters.sharing)] as const),
  );
  registerValue(registry, queue.limitsFallbacks, () => rateCounters.outages);
}

/** Registered later than the others, as the connections exist only once the port is open. */
export function registerConnectionMetrics(
  registry: Registry,
  connections: { readonly open: number; readonly evicted: number; readonly rejected: number },
  bodies: { readonly bytes: number },
): void {
  registerValue(registry, requests.bodies, () => bodies.bytes);
  registerValue(registry, requests.connections, () => connections.open);
  registerValue(registry, requests.connectionsEvicted, () => connections.evicted);
  registerValue(registry, requests.connectionsRejected, () => connections.rejected);
}

function registerQueueMetrics(registry: Registry, { scheduler, maxWaiting }: MetricSources): void {
  registerSamples(registry, queue.depth, () => depthByPriority(scheduler.waitingByWeight));
  registerValue(registry, queue.limit, () => maxWaiting);
  registerSamples(registry, queue.admissions, () => admissionsByPriority(scheduler));
  registerValue(registry, queue.slots, () => scheduler.counts.capacity);
  registerValue(registry, queue.leased, () => scheduler.counts.leased);
  registerValue(registry, batches.slots, () => scheduler.batches.capacity);
  registerValue(registry, batches.leased, () => scheduler.batches.leased);
  registerValue(registry, endpointPicker.waiting, () => scheduler.counts.waiting);
  registerValue(registry, endpointPicker.running, () => scheduler.counts.leased);
}

function depthByPriority(byWeight: ReadonlyMap<number, number>): MetricSample<'priority'>[] {
  const byClass = new Map([...byWeight].map(([weight, count]) => [classForWeight(weight), count]));
  return priorities.map((priority) => [{ priority }, byClass.get(priority) ?? 0]);
}

function admissionsByPriority({
  outcomes,
}: MetricSources['scheduler']): MetricSample<'outcome' | 'priority'>[] {
  return [...outcomes].flatMap(([weight, counts]) => {
    const priority = classForWeight(weight);
    return Object.entries(counts).map(
      ([outcome, count]): MetricSample<'outcome' | 'priority'> => [{ outcome, priority }, count],
    );
  });
}

function registerBackendMetrics(
  registry: Registry,
  { backendMonitor, scheduler, costPerHour }: MetricSources,
): void {
  registerSamples(registry, backend.status, () =>
    statusSamples(scheduler.isDraining ? 'draining' : backendMonitor.status),
  );
  registerValue(registry, backend.context, () => backendMonitor.props?.contextPerSlot);
  registerValue(registry, backend.costPerHour, () => costPerHour);
}

function registerKeyMetrics(
  registry: Registry,
  { keys, keyMaxAgeMs, failedLogins, ledger }: MetricSources,
): void {
  const countIf = (matches: (status: KeyStatus) => boolean) =>
    keys && countKeys(keys.ring.keys, (key, now) => matches(getKeyStatus(key, now, keyMaxAgeMs)));
  registerSamples(registry, keyMetrics.count, () => (keys ? keysByState(keys.ring.keys) : []));
  registerValue(registry, keyMetrics.expiring, () => countIf(({ expiresSoon }) => expiresSoon));
  registerValue(registry, keyMetrics.oldSecrets, () => countIf(({ secretIsOld }) => secretIsOld));
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

function keysByState(keys: readonly Key[]): MetricSample<'state'>[] {
  const counts = { active: 0, disabled: 0, expired: 0 };
  const now = Date.now();
  for (const key of keys) counts[getKeyStatus(key, now).state] += 1;
  return Object.entries(counts).map(([state, count]) => [{ state }, count]);
}
