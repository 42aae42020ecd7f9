/** What stands around the choices of every chunk. */
export interface ChunkFrame {
  readonly id?: unknown;
  readonly created?: unknown;
  readonly model?: unknown;
  readonly system_fingerprint?: unknown;
  readonly usage?: object | null;
  readonly timings?: object;
}

/** What stands around the choices of an answer, collected from its chunks. */
export class CompletionFrame {
  #first: ChunkFrame | undefined;
  #usage: object | null | undefined;
  #timings: object | undefined;

  /** `finished` is the choice that ended last: llama-server's answers tell the usage of choice 0 alone. */
  add(chunk: ChunkFrame, finished: number): void {
    this.#first ??= chunk;
    if (this.#usage && finished !== 0) return;
    if (chunk.usage) this.#usage = chunk.usage;
    if (chunk.timings) this.#timings = chunk.timings;
  }

  wrap(object: string, choices: readonly object[]): object | undefined {
    if (this.#first === undefined) return undefined;
    const { id, created, model, system_fingerprint } = this.#first;
    const [usage, timings] = [this.#usage, this.#timings];
    return { choices, created, model, system_fingerprint, object, usage, id, timings };
  }
}
