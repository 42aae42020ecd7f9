import type { Moment } from './report.ts';

interface Second {
  done: number;
  failed: number;
  pieces: number;
  readonly firstTokens: number[];
}

const MAX_MOMENTS = 300;

/** What happened in each second of a measurement. */
export class Timeline {
  readonly #from: number;
  readonly #seconds: Second[] = [];

  /** `from` and every `at` are times of `performance.now()`; what came before is left out. */
  constructor(from: number) {
    this.#from = from;
  }

  done(at: number): void {
    this.#count(at, 'done');
  }

  failed(at: number): void {
    this.#count(at, 'failed');
  }

  chunk(at: number): void {
    this.#count(at, 'pieces');
  }

  firstToken(at: number, ttftMs: number): void {
    this.#second(at)?.firstTokens.push(ttftMs);
  }

  /** At most 300 moments: of a long run each covers several seconds. */
  moments(tokensPerPiece: number): Moment[] {
    const width = Math.max(1, Math.ceil(this.#seconds.length / MAX_MOMENTS));
    return Array.from({ length: Math.ceil(this.#seconds.length / width) }, (_, n) =>
      momentOf(n * width, this.#seconds.slice(n * width, (n + 1) * width), tokensPerPiece),
    );
  }

  #count(at: number, what: 'done' | 'failed' | 'pieces'): void {
    const second = this.#second(at);
    if (second) second[what] += 1;
  }

  #second(at: number): Second | undefined {
    const index = Math.floor((at - this.#from) / 1000);
    if (index < 0) return undefined;
    while (this.#seconds.length <= index)
      this.#seconds.push({ done: 0, failed: 0, pieces: 0, firstTokens: [] });
    return this.#seconds[index];
  }
}

function momentOf(second: number, seconds: readonly Second[], tokensPerPiece: number): Moment {
  const perSecond = (what: 'done' | 'failed' | 'pieces') =>
    seconds.reduce((sum, one) => sum + one[what], 0) / seconds.length;
  return {
    second,
    requestsPerSecond: perSecond('done'),
    failuresPerSecond: perSecond('failed'),
    tokensPerSecond: perSecond('pieces') * tokensPerPiece,
    ttftMs: median(seconds.flatMap(({ firstTokens }) => firstTokens)),
  };
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}
