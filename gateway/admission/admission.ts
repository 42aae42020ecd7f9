import { Lease } from './lease.ts';
import {
  claim,
  emptyLine,
  enter,
  giveBack,
  type Line,
  leave,
  resize,
  type Step,
  type Waiter,
} from './line.ts';
import { recentServiceTime } from './service-time.ts';

export interface Claim {
  /** Slots that the request will use; 0 for one that needs none. */
  readonly weight: number;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
}

/** How an admission ends. All but the first come with the time after which trying again makes sense. */
export type Admitted =
  | { readonly outcome: 'granted'; readonly lease: Lease }
  | { readonly outcome: 'full' | 'timed-out' | 'draining'; readonly retryAfterMs: number }
  | { readonly outcome: 'left' };

export interface AdmissionOptions {
  readonly maxWaiting: number;
  readonly timeoutMs: number;
}

export interface AdmissionCounts {
  readonly capacity: number;
  readonly leased: number;
  readonly waiting: number;
}

interface Candidate extends Waiter {
  readonly since: number;
  readonly end: (admitted: Admitted) => void;
}

/** Decides for each request: a lease now, a wait in the line, or a refusal. The one owner of the line. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #serviceTime = recentServiceTime();
  #line: Line<Candidate> = emptyLine();
  #draining = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  get counts(): AdmissionCounts {
    const { capacity, leased, waiting } = this.#line;
    return { capacity, leased, waiting: waiting.length };
  }

  get isDraining(): boolean {
    return this.#draining;
  }

  async admit({ weight, signal }: Claim): Promise<Admitted> {
    if (signal.aborted) return { outcome: 'left' };
    if (this.#draining) return { outcome: 'draining', retryAfterMs: 1000 };
    const { promise, resolve } = Promise.withResolvers<Admitted>();
    const candidate: Candidate = { weight, since: performance.now(), end: resolve };
    const [entry, line] = enter(this.#line, candidate, this.#options.maxWaiting);
    this.#line = line;
    if (entry === 'full') return { outcome: 'full', retryAfterMs: this.#retryAfterMs() };
    if (entry === 'granted') return this.#grant(candidate);
    return this.#wait(candidate, promise, signal);
  }

  /** Follows the backend: its slots while it is ready, 0 while it is not, so that all who come wait. */
  setCapacity(capacity: number): void {
    if (capacity !== this.#line.capacity) this.#take(resize(this.#line, capacity));
  }

  /** Nothing new from here on: who waits is sent away, who holds a lease goes on. */
  drain(): void {
    this.#draining = true;
    const { waiting } = this.#line;
    this.#line = { ...this.#line, waiting: [] };
    for (const candidate of waiting) candidate.end({ outcome: 'draining', retryAfterMs: 1000 });
  }

  async #wait(candidate: Candidate, promise: Promise<Admitted>, signal: AbortSignal): Promise<Admitted> {
    const onAbort = () => this.#dismiss(candidate, { outcome: 'left' });
    const onTimeout = () =>
      this.#dismiss(candidate, { outcome: 'timed-out', retryAfterMs: this.#retryAfterMs() });
    const timer = setTimeout(onTimeout, this.#options.timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Out of the line first, told after: whoever stands in the line can still be granted a lease. */
  #dismiss(candidate: Candidate, admitted: Admitted): void {
    if (!this.#line.waiting.includes(candidate)) return;
    this.#take(leave(this.#line, candidate));
    candidate.end(admitted);
  }

  #grant(candidate: Candidate): Admitted {
    const slots = claim(this.#line, candidate);
    const grantedAt = performance.now();
    const lease = new Lease(slots, grantedAt - candidate.since, () => {
      if (slots > 0) this.#serviceTime.add(performance.now() - grantedAt);
      this.#take(giveBack(this.#line, slots));
    });
    return { outcome: 'granted', lease };
  }

  #take(step: Step<Candidate>): void {
    this.#line = step.line;
    for (const candidate of step.granted) candidate.end(this.#grant(candidate));
  }

  /** When a place is likely to be free: those ahead, each for as long as requests took lately, side by side. */
  #retryAfterMs(): number {
    const { capacity, waiting } = this.#line;
    return (this.#serviceTime.ms * (waiting.length + 1)) / Math.max(capacity, 1);
  }
}
