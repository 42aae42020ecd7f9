/** Longest time that a line waits for others. */
const INTERVAL_MS = 5;
const MAX_LENGTH = 64 * 1024;

/**
 * Collects lines under load, because a write costs more than what it writes. A line after a pause is written at once, and
 * so the others wait at most a few ms.
 */
export class LineBuffer {
  readonly #write: (lines: string) => void;
  #lines = '';
  /** Set for a moment after each write. */
  #timer: NodeJS.Timeout | undefined;

  constructor(write: (lines: string) => void) {
    this.#write = write;
  }

  add(line: string): void {
    this.#lines += line;
    if (this.#timer === undefined || this.#lines.length > MAX_LENGTH) this.flush();
  }

  /** Writes what waits, now. */
  flush(): void {
    if (this.#lines === '') return;
    const lines = this.#lines;
    this.#lines = '';
    this.#timer ??= setTimeout(() => this.#onInterval(), INTERVAL_MS);
    this.#write(lines);
  }

  #onInterval(): void {
    this.#timer = undefined;
    this.flush();
  }
}
