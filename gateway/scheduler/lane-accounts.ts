/** The turns that one lane has had at all engines: the cost of its granted requests, divided by its weight. */
export interface LaneAccount {
  turns: number;
}

/** The accounts that the queues of several engines share. There is one for each key that has sent a request. */
export class LaneAccounts {
  readonly #accounts = new Map<string, LaneAccount>();

  of(lane: string): LaneAccount {
    let account = this.#accounts.get(lane);
    if (account === undefined) {
      account = { turns: 0 };
      this.#accounts.set(lane, account);
    }
    return account;
  }
}
