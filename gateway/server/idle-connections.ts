/** The connections without a request in progress, grouped by client address. */
export class IdleConnections<Connection> {
  readonly #groups = new Map<string, Set<Connection>>();

  /** It becomes the most recently idle of its group. */
  add(group: string, connection: Connection): void {
    const members = this.#groups.get(group);
    if (members) members.add(connection);
    else this.#groups.set(group, new Set([connection]));
  }

  delete(group: string, connection: Connection): void {
    const members = this.#groups.get(group);
    members?.delete(connection);
    if (members?.size === 0) this.#groups.delete(group);
  }

  /**
   * The connection to close when room is needed: the one idle longest, of the group that holds the most. So a flood from
   * one address evicts only its own connections. Undefined where none is idle.
   */
  get evictionCandidate(): Connection | undefined {
    let largest: ReadonlySet<Connection> | undefined;
    for (const members of this.#groups.values()) {
      if (members.size > (largest?.size ?? 0)) largest = members;
    }
    return largest?.values().next().value;
  }
}
