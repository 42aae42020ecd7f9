/** How many users of one key have counters and lines of their own. */
export const MAX_USERS = 10_000;

/** The users of each key that were counted last, so that their counters stay bounded whatever a header contains. */
export class RecentUsers {
  readonly #max: number;
  /** By key; the least recently used comes first. */
  readonly #users = new Map<string, Set<string>>();

  constructor(max = MAX_USERS) {
    this.#max = max;
  }

  /** Returns the user that has to be forgotten for this one, if there is one. */
  use(keyId: string, user: string): string | undefined {
    let users = this.#users.get(keyId);
    if (users === undefined) {
      users = new Set();
      this.#users.set(keyId, users);
    }
    users.delete(user);
    users.add(user);
    if (users.size <= this.#max) return undefined;
    const [oldest] = users;
    if (oldest !== undefined) users.delete(oldest);
    return oldest;
  }
}
