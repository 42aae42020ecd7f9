import { costOf, NO_USER, userOf, type Waiter } from './waiter.ts';

interface UserTurns {
  /** How much this user has had: the cost of the granted requests, in the time of the lane. */
  served: number;
  /** The number of the last turn; 0 before the first. */
  lastTurn: number;
  /** Requests in the lane. */
  waiting: number;
  /** The most requests that hold slots at once. */
  maxConcurrent: number;
}

/**
 * Who of the users of one key is next, by the same start-time fair queueing as the lanes themselves: the lane has one share, and
 * its users divide it. A user with a thousand requests delays the first request of another by one turn.
 *
 * There may be any number of users. So the clock also moves with each turn by a part of its cost: otherwise ever new ones would
 * keep a user waiting that has had a turn before. It makes those forgettable that have had no more than the others.
 */
export class LaneUsers {
  readonly #users = new Map<string, UserTurns>();
  /** Requests of each user that hold slots. */
  readonly #running: Map<string, number>;
  /** What a user counts as having had who comes now. */
  #clock = 0;
  #turns = 0;

  /** `running` is shared by the lanes of a key at all engines; `waiting` has come before the first user was known. */
  constructor(running = new Map<string, number>(), waiting: readonly Waiter[] = []) {
    this.#running = running;
    for (const waiter of waiting) this.arrive(waiter);
  }

  /** How many are remembered. */
  get size(): number {
    return this.#users.size;
  }

  /** To be called for each request before it is served or waits. */
  arrive(waiter: Waiter): void {
    const id = userOf(waiter);
    const maxConcurrent = waiter.lane.user?.maxConcurrent ?? Infinity;
    const user = this.#users.get(id);
    if (user === undefined) {
      this.#users.set(id, { served: this.#clock, lastTurn: 0, waiting: 1, maxConcurrent });
      return;
    }
    if (!waiter.requeued) user.maxConcurrent = maxConcurrent;
    if (user.waiting === 0) user.served = Math.max(user.served, this.#clock);
    user.waiting += 1;
  }

  serve(waiter: Waiter): void {
    const id = userOf(waiter);
    const cost = costOf(waiter);
    const user = this.#users.get(id);
    if (user !== undefined) {
      this.#clock = Math.max(user.served, this.#clock + cost / this.#users.size);
      this.#turns += 1;
      user.served += cost;
      user.lastTurn = this.#turns;
      user.waiting -= 1;
    }
    this.#running.set(id, (this.#running.get(id) ?? 0) + 1);
    for (const [other, { waiting, served }] of this.#users)
      if (waiting === 0 && served <= this.#clock) this.#users.delete(other);
  }

  /** The request leaves the lane without having been served. */
  leave(waiter: Waiter): void {
    const id = userOf(waiter);
    const user = this.#users.get(id);
    if (user === undefined) return;
    user.waiting -= 1;
    if (user.waiting === 0 && user.served <= this.#clock) this.#users.delete(id);
  }

  /** The request has returned its slots. */
  release(waiter: Waiter): void {
    const id = userOf(waiter);
    const left = (this.#running.get(id) ?? 0) - 1;
    if (left > 0) this.#running.set(id, left);
    else this.#running.delete(id);
  }

  /** Each user has another limit than when its requests came. */
  setLimit(maxConcurrent: number): void {
    for (const [id, user] of this.#users) if (id !== NO_USER) user.maxConcurrent = maxConcurrent;
  }

  isAtLimit(waiter: Waiter): boolean {
    const id = userOf(waiter);
    return (this.#running.get(id) ?? 0) >= this.#limitOf(id);
  }

  #limitOf(id: string): number {
    return this.#users.get(id)?.maxConcurrent ?? Infinity;
  }

  /**
   * The request of the lane whose turn it is: the first of the user who has had least, of those below their own limits. In a tie
   * the user goes first whose last turn is longest ago.
   */
  next<W extends Waiter>(waiting: readonly W[]): W | undefined {
    const [first] = waiting;
    if (first?.requeued && !this.isAtLimit(first)) return first;
    const seen = new Set<string>();
    let next: W | undefined;
    let least: UserTurns | undefined;
    for (const waiter of waiting) {
      const id = userOf(waiter);
      if (seen.has(id)) continue;
      seen.add(id);
      const user = this.#users.get(id);
      if (user === undefined || this.isAtLimit(waiter)) continue;
      if (least === undefined || isBefore(user, least)) [next, least] = [waiter, user];
    }
    return next;
  }

  /** The requests in the likely order of their turns. */
  order<W extends Waiter>(waiting: readonly W[]): readonly W[] {
    const served = new Map<string, number>();
    const starts = waiting.map((waiter) => {
      const id = userOf(waiter);
      const start = served.get(id) ?? this.#users.get(id)?.served ?? 0;
      served.set(id, start + costOf(waiter));
      return { waiter, start: waiter.requeued ? Number.NEGATIVE_INFINITY : start };
    });
    return starts.sort((a, b) => a.start - b.start).map(({ waiter }) => waiter);
  }

  /** The requests, out of these, that may hold slots at once. */
  withinLimits<W extends Waiter>(waiting: readonly W[]): readonly W[] {
    const running = new Map(this.#running);
    return waiting.filter((waiter) => {
      const id = userOf(waiter);
      const own = running.get(id) ?? 0;
      running.set(id, own + 1);
      return own < this.#limitOf(id);
    });
  }
}

function isBefore(one: UserTurns, other: UserTurns): boolean {
  return one.served < other.served || (one.served === other.served && one.lastTurn < other.lastTurn);
}
