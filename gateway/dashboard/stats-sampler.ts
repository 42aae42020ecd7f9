import type { LiveRequests } from '../proxy/live-requests.ts';
import type { RequestRecord } from '../proxy/request-record.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import { RecentValues } from './recent-values.ts';

const EVERY = 1000;
/** Fifteen minutes. */
const KEPT = 900;
/** What quantiles are taken of: the last minute. */
const WINDOW = 60_000;
const MOST_VALUES = 1000;

/** How it goes in one second. */
export interface StatsSample {
  /** ms since 1970. */
  readonly at: number;
  /** Written in this second, by all requests. */
  readonly tokens: number;
  /** Seconds, over the last minute; null where nothing was to be seen. */
  readonly firstTokenP50: number | null;
  readonly firstTokenP95: number | null;
  readonly waitP50: number | null;
  readonly waitP95: number | null;
  /** Slots that are leased. */
  readonly running: number;
  readonly waiting: number;
}

export interface StatsSources {
  readonly live: Pick<LiveRequests, 'records'>;
  readonly admission: Pick<Scheduler, 'counts'>;
}

/** What of a request has been counted already. */
interface Counted {
  tokens: number;
  waited: boolean;
  spoke: boolean;
}

/** Feels once a second how it goes, watched or not, and remembers the last fifteen minutes. */
export class StatsSampler implements Disposable {
  readonly #parts: StatsSources;
  readonly #points: StatsSample[] = [];
  readonly #counted = new WeakMap<RequestRecord, Counted>();
  readonly #firstTokens = new RecentValues(WINDOW, MOST_VALUES);
  readonly #waits = new RecentValues(WINDOW, MOST_VALUES);
  readonly #timer = setInterval(() => this.sample(), EVERY).unref();
  #tokens = 0;

  constructor(parts: StatsSources) {
    this.#parts = parts;
  }

  /** The oldest first. */
  get samples(): readonly StatsSample[] {
    return this.#points;
  }

  /** Counts what is new of a request that is over. Most were never seen before: nothing is remembered for them. */
  recordFinished(record: RequestRecord): void {
    this.#count(record, this.#counted.get(record) ?? noneYet());
  }

  #follow(record: RequestRecord): void {
    let counted = this.#counted.get(record);
    if (counted === undefined) {
      counted = noneYet();
      this.#counted.set(record, counted);
    }
    this.#count(record, counted);
  }

  #count(record: RequestRecord, counted: Counted): void {
    const tokens = record.usage?.output ?? record.responseTail?.generated ?? 0;
    this.#tokens += Math.max(tokens - counted.tokens, 0);
    counted.tokens = Math.max(tokens, counted.tokens);
    const now = performance.now();
    if (!counted.waited && record.queuedMs !== undefined) {
      counted.waited = true;
      this.#waits.add(record.queuedMs / 1000, now);
    }
    const firstByteAt = record.firstByteAt ?? record.responseTail?.firstByteAt;
    if (!counted.spoke && record.streamed && firstByteAt !== undefined) {
      counted.spoke = true;
      this.#firstTokens.add((firstByteAt - record.startedAt) / 1000, now);
    }
  }

  sample(at = Date.now()): void {
    for (const record of this.#parts.live.records) this.#follow(record);
    const { leased, waiting } = this.#parts.admission.counts;
    const now = performance.now();
    const [firstTokenP50 = null, firstTokenP95 = null] = this.#firstTokens.quantiles([0.5, 0.95], now);
    const [waitP50 = null, waitP95 = null] = this.#waits.quantiles([0.5, 0.95], now);
    const quantiles = { firstTokenP50, firstTokenP95, waitP50, waitP95 };
    this.#points.push({ at, tokens: this.#tokens, ...quantiles, running: leased, waiting });
    this.#tokens = 0;
    if (this.#points.length > KEPT) this.#points.shift();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

const noneYet = (): Counted => ({ tokens: 0, waited: false, spoke: false });
