import { type Lane, nextInLane, pickLane } from './lane.ts';
import type { Waiter } from './waiter.ts';

/** The lanes that wait for one engine, in the order of `pickLane`. */
export type Line<W extends Waiter> = readonly Lane<W>[];

export interface EngineWithFreeSlot<W extends Waiter> {
  readonly own: Line<W>;
  /** The lines of the other engines of the model. */
  readonly peers: readonly Line<W>[];
  /** How much of its share a lane has had, as this engine counts it. */
  readonly served: (lane: Lane<W>) => number;
  /** Whether the slots are free that the request needs. */
  readonly fits: (waiter: W) => boolean;
}

/**
 * The lane that gets the next free slot of an engine. One that holds no slot goes before those that hold some, wherever it
 * waits, unless it has had more of its share. Otherwise requests stay where they wait, as that engine may have their
 * conversations in its cache; only an engine where none waits helps the longest of the other lines.
 */
export function pickAmongEngines<W extends Waiter>(engine: EngineWithFreeSlot<W>): Lane<W> | undefined {
  const { own, peers, served, fits } = engine;
  const turn = pickLane(own);
  if (turn !== undefined && holdsNoSlot(turn)) return turn;
  const firstFits = (lane: Lane<W>) => {
    const first = nextInLane(lane);
    return first !== undefined && fits(first);
  };
  for (const line of [own, ...peers]) {
    const unserved = pickLane(line.filter(holdsNoSlot));
    if (unserved === undefined || served(unserved) > (turn?.served ?? Infinity)) continue;
    if (line === own || firstFits(unserved)) return unserved;
  }
  if (turn !== undefined) return turn;
  const longestFirst = peers.toSorted((a, b) => countWaiting(b) - countWaiting(a));
  return longestFirst.map(pickLane).find((lane) => lane !== undefined && firstFits(lane));
}

/** At no engine of any model. */
function holdsNoSlot<W extends Waiter>({ account, running }: Lane<W>): boolean {
  return (account?.running ?? running) === 0;
}

function countWaiting<W extends Waiter>(line: Line<W>): number {
  return line.reduce((sum, { waiting }) => sum + waiting.length, 0);
}
