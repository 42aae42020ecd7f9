/** Something that one at a time may have. */
export class ExclusiveTurn {
  #taken = false;
  readonly #waiting = new Set<() => void>();

  get isTaken(): boolean {
    return this.#taken;
  }

  /** To be called where it is not taken; what is answered gives it back, once. */
  take(): () => void {
    this.#taken = true;
    let isGivenBack = false;
    return () => {
      if (isGivenBack) return;
      isGivenBack = true;
      this.#taken = false;
      for (const tell of [...this.#waiting]) tell();
    };
  }

  /** Settles when it may be free, or when the signal aborts. */
  async whenFree(signal: AbortSignal): Promise<void> {
    if (!this.#taken || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const tell = () => resolve();
    this.#waiting.add(tell);
    signal.addEventListener('abort', tell, { once: true });
    await promise;
    this.#waiting.delete(tell);
    signal.removeEventListener('abort', tell);
  }
}
