/** The connections on which nothing is asked at present, by where they come from. */
export class IdleConnections<Connection> {
  readonly #groups = new Map<string, Set<Connection>>();

  /** It is the last of its group to have become idle. */
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
   * Which of them goes where there is no more room: of those who hold the most, the one that has been idle longest. So a
   * crowd from one place displaces itself, and nobody else. Undefined where none is idle.
   */
  get evictionCandidate(): Connection | undefined {
    let largest: ReadonlySet<Connection> | undefined;
    for (const members of this.#groups.values()) {
      if (members.size > (largest?.size ?? 0)) largest = members;
    }
    return largest?.values().next().value;
  }
}
