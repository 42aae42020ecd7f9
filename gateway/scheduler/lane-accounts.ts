/** A queue in which a lane waits. */
export interface WaitingQueue {
  /** Grants what can be granted now, after a change elsewhere. */
  grantNext(): void;
}

/** What one lane has at all engines together. */
export interface LaneAccount {
  /** The turns that it has had: the cost of its granted requests, divided by its weight. */
  turns: number;
  /** Requests that hold slots. */
  running: number;
  /** The most that may. */
  maxConcurrent: number;
  /** Requests of each of its users that hold slots; undefined where it has none. */
  runningOfUsers: Map<string, number> | undefined;
  /** Where it waits; where it had its last turn comes last. */
  readonly queues: Set<WaitingQueue>;
}

/** The accounts that the queues of several engines share. There is one for each key that has sent a request. */
export class LaneAccounts {
  readonly #accounts = new Map<string, LaneAccount>();

  of(lane: string): LaneAccount {
    let account = this.#accounts.get(lane);
    if (account === undefined) {
      account = {
        turns: 0,
        running: 0,
        maxConcurrent: Infinity,
        runningOfUsers: undefined,
        queues: new Set(),
      };
      this.#accounts.set(lane, account);
    }
    return account;
  }
}
