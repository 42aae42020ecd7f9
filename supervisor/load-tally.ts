/** Counts the loads of an engine that were completed, how long they took, and how often it was unloaded. */
export class LoadTally {
  loads = 0;
  unloads = 0;
  /** The time of all loads together, in milliseconds. */
  loadMs = 0;
  #isCounted = false;

  began(): void {
    this.#isCounted = false;
  }

  /** It is ready. Only the first time counts: a restart after a crash is not a load. */
  completed(ms: number): void {
    if (this.#isCounted) return;
    this.#isCounted = true;
    this.loads += 1;
    this.loadMs += ms;
  }

  /** It is stopped on purpose. Only what was loaded can be unloaded. */
  unloaded(): void {
    if (this.#isCounted) this.unloads += 1;
  }
}
