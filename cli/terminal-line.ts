export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const BAR_WIDTH = 20;
const clearLine = '\r\u001b[K';

/** One line of a terminal that is redrawn in place. Nothing is drawn where there is no terminal. */
export class TerminalLine {
  readonly #terminal: Terminal;
  #isDrawn = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  get isVisible(): boolean {
    return this.#terminal.isTTY === true;
  }

  draw(text: string): void {
    if (!this.isVisible) return;
    this.#terminal.write(clearLine + text.slice(0, (this.#terminal.columns || 80) - 1));
    this.#isDrawn = true;
  }

  clear(): void {
    if (this.#isDrawn) this.#terminal.write(clearLine);
    this.#isDrawn = false;
  }
}

/** `share` is 0 to 1. */
export function progressBar(share: number): string {
  const full = Math.round(share * BAR_WIDTH);
  return '█'.repeat(full) + '░'.repeat(BAR_WIDTH - full);
}
