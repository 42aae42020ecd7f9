import type { Registry } from 'prom-client';
import type { Standing } from '../../health/standing.ts';
import type { BackendWatch } from '../../health/watch.ts';
import { type Key, priorities } from '../../keys/key.ts';
import { type KeyStatus, statusOf } from '../../keys/key-status.ts';
import type { KeyStore } from '../../keys/key-store.ts';
import type { Admission } from '../admission/admission.ts';
import { priorityOf } from '../admission/lane-for.ts';
import type { FailedLogins } from '../door/failed-logins.ts';
import type { UsageLedger } from '../ledger/usage-ledger.ts';
import type { OpenCounts, Sharing } from '../limits/open-counts.ts';
import type { LiveRequests } from '../record/live-requests.ts';
import { backend, keys as keyFamilies, picker, requests, waiting } from './catalogue.ts';
import type { Figure } from './family.ts';
import { showFigure, showFigures } from './show.ts';

/** The owners of what is shown; each is asked at the scrape and pays nothing before. */
export interface Rooms {
  readonly admission: Pick<Admission, 'counts' | 'tally' | 'waitingByShare' | 'isDraining'>;
  readonly maxWaiting: number;
  readonly watch: Pick<BackendWatch, 'standing' | 'since' | 'facts'>;
  readonly live: Pick<LiveRequests, 'count'>;
  readonly buckets: Pick<OpenCounts, 'sharing' | 'losses'>;
  /** Undefined where authentication is off. */
  readonly keys: Pick<KeyStore, 'ring' | 'problem' | 'loadedAt' | 'failures'> | undefined;
  readonly keyMaxAgeMs: number | undefined;
  readonly failedLogins: Pick<FailedLogins, 'total'>;
  readonly ledger: Pick<UsageLedger, 'problem'>;
  readonly costPerHour: number | undefined;
}

export const standings: readonly Standing[] = [
  'starting',
  'loading',
  'ready',
  'restarting',
  'failed',
  'draining',
];
const sharings: readonly Sharing[] = ['off', 'together', 'alone'];

export function showRooms(registry: Registry, rooms: Rooms): void {
  showLine(registry, rooms);
  showBackend(registry, rooms);
  showKeys(registry, rooms);
  showFigure(registry, requests.inFlight, () => rooms.live.count);
  showFigures(registry, waiting.sharing, () =>
    sharings.map((sharing) => [{ sharing }, Number(sharing === rooms.buckets.sharing)] as const),
  );
  showFigure(registry, waiting.fallbacks, () => rooms.buckets.losses);
}

function showLine(registry: Registry, { admission, maxWaiting }: Rooms): void {
  showFigures(registry, waiting.depth, () => depths(admission.waitingByShare));
  showFigure(registry, waiting.limit, () => maxWaiting);
  showFigures(registry, waiting.admissions, () => admissionsOf(admission));
  showFigure(registry, waiting.slots, () => admission.counts.capacity);
  showFigure(registry, waiting.leased, () => admission.counts.leased);
  showFigure(registry, picker.waiting, () => admission.counts.waiting);
  showFigure(registry, picker.running, () => admission.counts.leased);
}

function depths(byShare: ReadonlyMap<number, number>): Figure<'priority'>[] {
  const byPriority = new Map([...byShare].map(([share, count]) => [priorityOf(share), count]));
  return priorities.map((priority) => [{ priority }, byPriority.get(priority) ?? 0]);
}

function admissionsOf({ tally }: Rooms['admission']): Figure<'outcome' | 'priority'>[] {
  return [...tally.byShare].flatMap(([share, counts]) =>
    Object.entries(counts).map(
      ([outcome, count]): Figure<'outcome' | 'priority'> => [{ outcome, priority: priorityOf(share) }, count],
    ),
  );
}

function showBackend(registry: Registry, { watch, admission, costPerHour }: Rooms): void {
  showFigures(registry, backend.standing, () =>
    oneOf(standings, admission.isDraining ? 'draining' : watch.standing),
  );
  showFigure(registry, backend.context, () => watch.facts?.contextPerSlot);
  showFigure(registry, backend.costPerHour, () => costPerHour);
}

/** A series for each standing there is, 1 for the one that holds. */
export function oneOf(all: readonly string[], now: string): Figure<'standing'>[] {
  return all.map((standing) => [{ standing }, Number(standing === now)]);
}

function showKeys(registry: Registry, { keys, keyMaxAgeMs, failedLogins, ledger }: Rooms): void {
  showFigures(registry, keyFamilies.count, () => (keys ? keysByState(keys) : []));
  const count = (matches: (status: KeyStatus) => boolean) => () =>
    keys && countKeys(keys.ring.keys, (key, now) => matches(statusOf(key, now, keyMaxAgeMs)));
  showFigure(
    registry,
    keyFamilies.expiring,
    count((status) => status.expiresSoon),
  );
  showFigure(
    registry,
    keyFamilies.oldSecrets,
    count((status) => status.secretIsOld),
  );
  showFigure(registry, keyFamilies.broken, () => keys && Number(keys.problem !== undefined));
  showFigure(registry, keyFamilies.failures, () => keys?.failures);
  showFigure(registry, keyFamilies.loadedAt, () => keys?.loadedAt && keys.loadedAt / 1000);
  showFigure(registry, keyFamilies.failedLogins, () => failedLogins.total);
  showFigure(registry, keyFamilies.ledgerDegraded, () => Number(ledger.problem !== undefined));
}

function countKeys(keys: readonly Key[], matches: (key: Key, now: number) => boolean): number {
  const now = Date.now();
  let count = 0;
  for (const key of keys) if (matches(key, now)) count += 1;
  return count;
}

function keysByState(keys: NonNullable<Rooms['keys']>): Figure<'state'>[] {
  const counts = { active: 0, disabled: 0, expired: 0 };
  const now = Date.now();
  for (const key of keys.ring.keys) counts[statusOf(key, now).state] += 1;
  return Object.entries(counts).map(([state, count]) => [{ state }, count]);
}
