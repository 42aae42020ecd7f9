import { type Key, priorities } from '../../keys/key.ts';
import type { LaneAccount } from './lane-accounts.ts';
import type { LaneUsers } from './lane-users.ts';
import { costOf, type LaneSettings, userOf, type Waiter } from './waiter.ts';

/** One waiting line, first come, first served; users of a key take turns in it. */
export interface Lane<W extends Waiter> {
  readonly id: string;
  settings: LaneSettings;
  readonly waiting: W[];
  /** Requests of this lane that hold slots. */
  running: number;
  /** How much of its share the lane has had: the cost of the granted requests, divided by its weight. */
  served: number;
  /** What it has at all engines; undefined if there is one engine. */
  readonly account: LaneAccount | undefined;
  /** The turns of the account that `served` includes. */
  charged: number;
  /** Undefined until a request comes from a user. */
  users: LaneUsers | undefined;
}

/** What distinguishes requests where they wait: batches run on idle slots, whatever the priority of their keys. */
const requestClasses = [...priorities, 'batch'] as const;
export type RequestClass = (typeof requestClasses)[number];

const weights: Readonly<Record<RequestClass, number>> = { high: 4, normal: 2, low: 1, batch: 0.5 };

/** Without authentication all requests share one lane: there is no identity that can be trusted. */
const sharedLane: LaneSettings = { id: '', weight: weights.normal, maxConcurrent: Infinity };

/** The lane of a key, with the settings that the key has now. `user`: who of its users has sent the request, if it says so. */
export function laneForKey(key: Key | undefined, user: string | undefined): LaneSettings {
  if (key === undefined) return sharedLane;
  return {
    id: key.id,
    weight: weights[key.priority],
    maxConcurrent: key.limits.concurrent || Infinity,
    user: user === undefined ? undefined : { id: user, maxConcurrent: key.userLimits.concurrent || Infinity },
  };
}

/** The same among the lanes of batches. They all have the same weight. */
export function batchLaneForKey(key: Key | undefined, user: string | undefined): LaneSettings {
  return { ...laneForKey(key, user), weight: weights.batch };
}

/** The class of a lane, as each priority has a weight of its own. */
export function classForWeight(weight: number): RequestClass {
  return requestClasses.find((name) => weights[name] === weight) ?? 'normal';
}

export function createLane<W extends Waiter>(
  settings: LaneSettings,
  served: number,
  account: LaneAccount | undefined,
): Lane<W> {
  return {
    ...{ id: settings.id, settings, waiting: [], running: 0, served, account },
    charged: account?.turns ?? 0,
    users: undefined,
  };
}

/** The most turns elsewhere that count against a lane here: it must not wait for ever where others are slower. */
const MAX_TURNS_ELSEWHERE = 8;

/** A turn is a turn, whatever the model: adds those that a lane has had at other engines to what it has had here. */
export function chargeElsewhere(lane: Lane<Waiter>, served: number): void {
  if (lane.account === undefined) return;
  const turns = lane.account.turns - lane.charged;
  lane.charged = lane.account.turns;
  if (turns > 0)
    lane.served = Math.max(lane.served, Math.min(lane.served + turns, served + MAX_TURNS_ELSEWHERE));
}

export function isIdle({ waiting, running }: Lane<Waiter>): boolean {
  return waiting.length === 0 && running === 0;
}

/**
 * The lane whose turn it is: of those below their own limit, the one that has had the least of its share (start-time fair
 * queueing, after Goyal, Vin and Cheng, 1996). So a lane with a thousand requests delays the first request of another lane by
 * one turn, and shares hold whatever the requests cost. In a tie the lane that has waited longest goes first: `lanes` come
 * in that order.
 */
export function pickLane<W extends Waiter>(lanes: Iterable<Lane<W>>): Lane<W> | undefined {
  let next: Lane<W> | undefined;
  for (const lane of lanes) {
    if (lane.waiting.length === 0 || isAtLimit(lane)) continue;
    if (next !== undefined && lane.served >= next.served) continue;
    if (nextInLane(lane) !== undefined) next = lane;
  }
  return next;
}

/** The request of a lane whose turn it is; undefined if none waits, or all of its users are at their limits. */
export function nextInLane<W extends Waiter>({ users, waiting }: Lane<W>): W | undefined {
  return users === undefined ? waiting[0] : users.next(waiting);
}

/**
 * The likely position of a request among all that wait, from 1. A lane at its own limit is skipped until one of its
 * requests has ended, so its requests are ahead of nobody else.
 */
export function queuePosition<W extends Waiter>(waiter: W, lanes: Iterable<Lane<W>>): number {
  const all = [...lanes];
  const own = all.find((lane) => lane.waiting.includes(waiter));
  if (own === undefined) return 0;
  const turn = startTimes(own).get(waiter) ?? 0;
  let position = 1;
  for (const lane of all) {
    if (lane !== own && isAtLimit(lane)) continue;
    for (const [other, start] of startTimes(lane)) {
      if (other === waiter) break;
      if (lane === own || start <= turn) position += 1;
    }
  }
  return position;
}

/**
 * The request to evict from a full queue for one more in the lane `ownId`: the last of the lane that is longest for its weight,
 * if that lane is then still at least as long as the own one. So a key may fill the queue as long as no other key needs a
 * place. A lane may be at several queues.
 */
export function pickEvicted<W extends Waiter>(ownId: string, lanes: readonly Lane<W>[]): W | undefined {
  const byId = Map.groupBy(lanes, ({ id }) => id);
  const own = byId.get(ownId) ?? [];
  let longest = own;
  for (const parts of byId.values()) if (weightedLength(parts) > weightedLength(longest)) longest = parts;
  if (longest === own || weightedLength(longest, 1) < weightedLength(own)) return undefined;
  return lastOf(longest);
}

/**
 * The same among the users of one key, whose lane is full or the longest: the last request of the user with most, if that user
 * then still has at least as many as the one of `waiter`, which waits already.
 */
export function pickEvictedOfUsers<W extends Waiter>(waiter: W, lane: readonly Lane<W>[]): W | undefined {
  const last = lastOf(lane);
  if (last === undefined || userOf(last) === userOf(waiter)) return undefined;
  const count = (id: string) =>
    lane.reduce((sum, { waiting }) => sum + waiting.filter((one) => userOf(one) === id).length, 0);
  return count(userOf(last)) - 1 < count(userOf(waiter)) ? undefined : last;
}

/** The last request that was not requeued, at the queue where the lane is fullest, of the user with most requests. */
function lastOf<W extends Waiter>(parts: readonly Lane<W>[]): W | undefined {
  const fullestFirst = parts.toSorted((a, b) => b.waiting.length - a.waiting.length);
  const newestFirst = fullestFirst.flatMap(({ waiting }) => waiting.toReversed());
  const byUser = [...Map.groupBy(newestFirst, userOf).values()].sort((a, b) => b.length - a.length);
  return byUser
    .map((requests) => requests.find(({ requeued }) => !requeued))
    .find((one) => one !== undefined);
}

function weightedLength(parts: readonly Lane<Waiter>[], without = 0): number {
  const length = parts.reduce((sum, { waiting }) => sum + waiting.length, -without);
  return length / (parts[0]?.settings.weight ?? 1);
}

/** Whether the key has as many requests at the engines as it may. With `account`, those at all engines of the model count. */
export function isAtLimit<W extends Waiter>({ running, settings, account }: Lane<W>): boolean {
  if (account !== undefined) return account.running >= account.maxConcurrent;
  return running >= settings.maxConcurrent;
}

/** How many more requests of the lane may hold slots. */
export function freePlaces<W extends Waiter>({ running, settings, account }: Lane<W>): number {
  if (account !== undefined) return account.maxConcurrent - account.running;
  return settings.maxConcurrent - running;
}

/** The requests of the lane that hold slots as soon as there are some, as far as its users may. */
export function servable<W extends Waiter>({ users, waiting }: Lane<W>): readonly W[] {
  return users === undefined ? waiting : users.withinLimits(waiting);
}

/** What the lane will have been served when the turn of each of its requests comes. */
function startTimes<W extends Waiter>({ users, waiting, served, settings }: Lane<W>): Map<W, number> {
  const starts = new Map<W, number>();
  let start = served;
  for (const waiter of users === undefined ? waiting : users.order(waiting)) {
    starts.set(waiter, start);
    start += costOf(waiter) / settings.weight;
  }
  return starts;
}
