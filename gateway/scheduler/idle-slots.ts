import { FairQueue, type Grant } from './fair-queue.ts';
import { type Lane, pickLane } from './lane.ts';
import type { LaneSettings, Waiter } from './waiter.ts';

/** A line of a batch while it holds slots: it can be cut off, and be continued later. */
export interface Preemptible {
  /** Tokens of its response so far, which would have to be read or generated again. */
  readonly generated: number;
  /** Whether it may be cut off now: it can be continued, or little would be lost. */
  mayGiveWay(): boolean;
  /** Cuts it off at the engine. Its lease comes back when the engine has released the slots. */
  preempt(): void;
}

export interface BatchWaiter extends Waiter {
  readonly line: Preemptible;
}

/** The queue of all other requests at the same engine. */
type Clients = Pick<FairQueue<Waiter>, 'capacity' | 'leased' | 'next' | 'wanted' | 'occupied'>;

/** Batches wait on disk, and their runner sends only as many lines as there are slots. */
const unlimited = { maxWaiting: Infinity, maxWaitingPerLane: Infinity };

/** How many of the slots of an engine batches may use. By default one is left free, so that most clients find one. */
export function slotsForBatches(capacity: number, limit: number | undefined): number {
  return Math.min(limit ?? Math.max(capacity - 1, 1), capacity);
}

/**
 * The lines of batches at one engine: the class below all priorities. They get slots that nobody else waits for, and give them
 * back as soon as somebody does. Like the queue of the clients, a state machine without clocks and promises.
 */
export class IdleSlots<W extends BatchWaiter> {
  readonly #clients: Clients;
  readonly #limit: number | undefined;
  readonly #lines = new FairQueue<W>(
    unlimited,
    undefined,
    undefined,
    undefined,
    undefined,
    pickRequeuedFirst,
  );
  readonly #running = new Set<Grant<W>>();
  /** The lines that were cut off and whose slots the engine has not released yet. */
  readonly #leaving = new Set<Grant<W>>();

  /** `limit`: the most slots; undefined for the default. */
  constructor(clients: Clients, limit: number | undefined) {
    this.#clients = clients;
    this.#limit = limit;
    this.settle();
  }

  get leased(): number {
    return this.#lines.leased;
  }

  /** The lines that wait. */
  get waiting(): W[] {
    return this.#lines.waiting;
  }

  get next(): W | undefined {
    return this.#lines.next;
  }

  /** Grants to this line, and to others that this makes possible; none if it has to wait. */
  enqueue(line: W): readonly Grant<W>[] {
    this.#setRoom();
    const entered = this.#lines.enqueue(line);
    if (entered.outcome !== 'granted') return [];
    const grants = [entered.grant, ...entered.further];
    this.#begin(grants);
    return grants;
  }

  updateLane(settings: LaneSettings): readonly Grant<W>[] {
    this.#setRoom();
    const grants = this.#lines.updateLane(settings);
    this.#begin(grants);
    return grants;
  }

  /** Takes a line out of the queue. False if it does not wait (any more). */
  remove(line: W): readonly [boolean, readonly Grant<W>[]] {
    this.#setRoom();
    const [wasQueued, grants] = this.#lines.remove(line);
    this.#begin(grants);
    return [wasQueued, grants];
  }

  /** Returns the slots of a line to all. Grants nothing: clients come first. */
  release(grant: Grant<W>): void {
    this.#running.delete(grant);
    this.#leaving.delete(grant);
    this.#lines.occupied = Infinity;
    this.#lines.release(grant);
    this.#clients.occupied = this.#lines.leased;
  }

  /** To be called after each change of the other queue: takes slots back that are wanted there, or grants idle ones. */
  settle(): readonly Grant<W>[] {
    if (this.#running.size > this.#leaving.size) this.#takeBack(this.#missingSlots);
    this.#setRoom();
    const grants = this.#lines.setCapacity(this.#capacity);
    this.#begin(grants);
    return grants;
  }

  /** Cuts off all that may be: the engine is about to be replaced. */
  preemptAll(): void {
    this.#takeBack(Infinity);
  }

  get #capacity(): number {
    return slotsForBatches(this.#clients.capacity, this.#limit);
  }

  /** No line is granted while a client waits that could be served. */
  #setRoom(): void {
    const { capacity, leased, next } = this.#clients;
    const mustWait = next !== undefined;
    this.#lines.occupied = mustWait ? Infinity : Math.max(this.#capacity - (capacity - leased), 0);
  }

  #begin(grants: readonly Grant<W>[]): void {
    for (const grant of grants) this.#running.add(grant);
    this.#clients.occupied = this.#lines.leased;
  }

  /** How many slots have to be taken back for the clients that wait. */
  get #missingSlots(): number {
    const { capacity, leased } = this.#clients;
    const notTheirs = capacity - leased;
    const wanted = Math.min(this.#clients.wanted(capacity), notTheirs);
    if (wanted <= 0) return 0;
    let soonFree = notTheirs - this.#lines.leased;
    for (const { slots } of this.#leaving) soonFree += slots;
    return wanted - soonFree;
  }

  /** From those with least to lose, of equals from the newest: so the line that has come furthest goes on. */
  #takeBack(missing: number): void {
    if (missing <= 0) return;
    const candidates = [...this.#running].filter((grant) => !this.#leaving.has(grant)).reverse();
    let left = missing;
    for (const grant of candidates.sort(byProgress)) {
      if (left <= 0) return;
      const { line } = grant.waiter;
      if (!line.mayGiveWay()) continue;
      this.#leaving.add(grant);
      left -= grant.slots;
      line.preempt();
    }
  }
}

const byProgress = (a: Grant<BatchWaiter>, b: Grant<BatchWaiter>) => readAgain(a) - readAgain(b);

/**
 * The text that has to be read again. A line that still reads its prompt comes last: all of that may be in vain, and the engine
 * would notice only between two batches of it that its client has gone.
 */
const readAgain = ({ waiter: { line } }: Grant<BatchWaiter>) =>
  line.generated === 0 ? Number.MAX_SAFE_INTEGER : line.generated;

/** A line that was cut off keeps its place at the head of the class: the engine may still have its beginning in its cache. */
function pickRequeuedFirst<W extends Waiter>(lanes: Iterable<Lane<W>>): Lane<W> | undefined {
  const all = [...lanes];
  return pickLane(all.filter(({ waiting }) => waiting[0]?.requeued)) ?? pickLane(all);
}
