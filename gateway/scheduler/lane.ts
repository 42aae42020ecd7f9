/** One who wants slots. */
export interface Waiter {
  /** How many sequences the backend will decode for it. */
  readonly slots: number;
  /** What it is reckoned to take of the backend, where that is not its weight. */
  readonly cost?: number;
  /** It was served before and lost that: it goes first in its lane, and is never one too many. */
  readonly requeued?: boolean;
  readonly lane: LaneSettings;
}

/** The lane that a waiter belongs to and what that lane is due. Every key has its own. */
export interface LaneSettings {
  readonly id: string;
  /** Turns in a round, against those of the other lanes. */
  readonly weight: number;
  /** The most requests of this lane at the backend at once; more wait. */
  readonly maxConcurrent: number;
}

/** One waiting line, first come first served. */
export interface Lane<W extends Waiter> {
  readonly id: string;
  settings: LaneSettings;
  readonly waiting: W[];
  /** Requests of this lane that hold slots. */
  running: number;
  /** How much of its due the lane has had: the turns of those granted, divided by its share. */
  served: number;
}

export function createLane<W extends Waiter>(terms: LaneSettings, served: number): Lane<W> {
  return { id: terms.id, settings: terms, waiting: [], running: 0, served };
}

export function isIdle({ waiting, running }: Lane<Waiter>): boolean {
  return waiting.length === 0 && running === 0;
}

/**
 * Whose turn it is: of the lanes that may, the one that has had least of its due (start-time fair queueing, after Goyal,
 * Vin and Cheng, 1996). A lane with a thousand waiters so delays another's first by one turn, and shares hold whatever
 * the requests weigh. In a tie the lane that has waited longest goes first: lanes come in the order of their opening.
 */
export function pickLane<W extends Waiter>(lanes: Iterable<Lane<W>>): Lane<W> | undefined {
  let next: Lane<W> | undefined;
  for (const lane of lanes) {
    if (lane.waiting.length === 0 || isAtItsLimit(lane)) continue;
    if (next === undefined || lane.served < next.served) next = lane;
  }
  return next;
}

/**
 * How many of all who wait are likely to be served before `waiter`, itself included. A lane at its own limit is passed
 * over until one of its requests has ended, so those in it are before nobody else.
 */
export function queuePosition<W extends Waiter>(waiter: W, lanes: Iterable<Lane<W>>): number {
  const all = [...lanes];
  const own = all.find((lane) => lane.waiting.includes(waiter));
  if (own === undefined) return 0;
  const turn = turns(own).get(waiter) ?? 0;
  let place = 1;
  for (const lane of all) {
    if (lane !== own && isAtItsLimit(lane)) continue;
    for (const [other, start] of turns(lane)) {
      if (other === waiter) break;
      if (lane === own || start <= turn) place += 1;
    }
  }
  return place;
}

/** What a request is reckoned to take. Bounded, as one that asks for billions is refused by the backend. */
export function costOf({ slots, cost = slots }: Waiter): number {
  return Math.min(cost, MOST_TURNS);
}

const MOST_TURNS = 1024;

/**
 * Who has to leave a full line for one more in `own`: the last of the longest lane, by what it is due, where that stays
 * the longer one without it. So a key may have the whole line as long as nobody else wants any of it.
 */
export function pickEvicted<W extends Waiter>(own: Lane<W>, lanes: Iterable<Lane<W>>): W | undefined {
  let longest = own;
  for (const lane of lanes) if (lengthOf(lane) > lengthOf(longest)) longest = lane;
  if (longest === own || lengthOf(longest, 1) < lengthOf(own)) return undefined;
  return longest.waiting.findLast(({ requeued }) => !requeued);
}

const lengthOf = ({ waiting, settings }: Lane<Waiter>, without = 0) =>
  (waiting.length - without) / settings.weight;

function isAtItsLimit<W extends Waiter>({ running, settings }: Lane<W>): boolean {
  return running >= settings.maxConcurrent;
}

/** For each who waits in a lane, what the lane will have been served when the turn comes. */
function turns<W extends Waiter>({ waiting, served, settings }: Lane<W>): Map<W, number> {
  const starts = new Map<W, number>();
  let start = served;
  for (const waiter of waiting) {
    starts.set(waiter, start);
    start += costOf(waiter) / settings.weight;
  }
  return starts;
}
