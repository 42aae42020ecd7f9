import { BoundedMap } from '../bounded-map.ts';
import { MAX_USERS } from '../limits/recent-users.ts';

/** The tokens that a user of a key has used on one day. */
export interface UserTokens {
  readonly keyId: string;
  readonly user: string;
  readonly day: string;
  readonly tokens: number;
}

/** The line of all users of a key beyond those that have lines of their own that day. No id of a user is like it. */
export const otherUsers = 'other';

/** Not only today, as for the keys. */
const DAYS_IN_MEMORY = 3;

/** The users of each key on each of the last days: who has a line of their own, and how many tokens they have used. */
export class DailyUsers {
  readonly #max: number;
  /** By day, key and user: tokens. */
  readonly #days = new BoundedMap<string, Map<string, Map<string, number>>>(DAYS_IN_MEMORY);

  constructor(max = MAX_USERS) {
    this.#max = max;
  }

  /** Returns the line of the user in the ledger. */
  add({ keyId, user, day, tokens }: UserTokens): string {
    const users = this.#usersOf(day, keyId);
    const before = users.get(user);
    if (before === undefined && users.size >= this.#max) return otherUsers;
    users.set(user, (before ?? 0) + tokens);
    return user;
  }

  /** 0 for a user without a line of their own. */
  tokens(keyId: string, user: string, day: string): number {
    return this.#days.get(day)?.get(keyId)?.get(user) ?? 0;
  }

  #usersOf(day: string, keyId: string): Map<string, number> {
    let keys = this.#days.get(day);
    if (keys === undefined) {
      keys = new Map();
      this.#days.set(day, keys);
    }
    let users = keys.get(keyId);
    if (users === undefined) {
      users = new Map();
      keys.set(keyId, users);
    }
    return users;
  }
}
