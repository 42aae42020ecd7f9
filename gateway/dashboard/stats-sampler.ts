import type { DraftUsage } from '../api/usage.ts';
import type { LiveRequests } from '../proxy/live-requests.ts';
import type { RequestOutcome, RequestRecord } from '../proxy/request-record.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';

export const INTERVAL = 1000;
/** Fifteen minutes. */
export const MAX_SAMPLES = 900;
/** Quantiles are of the last minute. */
const QUANTILE_WINDOW = 60_000;
const MAX_VALUES = 1000;

/** Statistics of one second. */
export interface StatsSample {
  /** ms since 1970. */
  readonly at: number;
  /** Tokens generated in this second, by all requests. */
  readonly tokens: number;
  /** Seconds, over the last minute; null if there are no values. */
  readonly firstTokenP50: number | null;
  readonly firstTokenP95: number | null;
  /** From the slot to the first token. */
  readonly promptP50: number | null;
  readonly promptP95: number | null;
  readonly waitP50: number | null;
  readonly waitP95: number | null;
  /** Leased slots. */
  readonly running: number;
  readonly waiting: number;
  /** Finished requests to the API, and those of them that were rejected or broken off. */
  readonly requests: number;
  readonly errors: number;
}

export interface StatsSources {
  readonly liveRequests: Pick<LiveRequests, 'records'>;
  readonly scheduler: Pick<Scheduler, 'counts'>;
}

/** The part of a request that has been counted. */
interface Counted {
  tokens: number;
  wait: boolean;
  firstToken: boolean;
}

/** Samples statistics once per second, with or without clients, and keeps the last fifteen minutes. */
export class StatsSampler implements Disposable {
  readonly #sources: StatsSources;
  readonly #samples: StatsSample[] = [];
  readonly #counted = new WeakMap<RequestRecord, Counted>();
  readonly #firstTokenTimes = new RecentValues(QUANTILE_WINDOW, MAX_VALUES);
  readonly #promptTimes = new RecentValues(QUANTILE_WINDOW, MAX_VALUES);
  readonly #waitTimes = new RecentValues(QUANTILE_WINDOW, MAX_VALUES);
  readonly #timer = setInterval(() => this.sample(), INTERVAL).unref();
  readonly #onSample: (sample: StatsSample) => void;
  #tokens = 0;
  #requests = 0;
  #errors = 0;
  #drafts: DraftUsage | undefined;

  constructor(sources: StatsSources, onSample: (sample: StatsSample) => void = () => {}) {
    this.#sources = sources;
    this.#onSample = onSample;
  }

  /** Oldest first. */
  get samples(): readonly StatsSample[] {
    return this.#samples;
  }

  /** Puts the samples of the gateway before this one in front of our own. */
  restore(samples: readonly StatsSample[]): void {
    const first = this.#samples[0]?.at ?? Infinity;
    this.#samples.unshift(...samples.filter(({ at }) => at < first));
    this.#dropOldest();
  }

  /** What speculative decoding has done since the start; undefined if it was not used. */
  get drafts(): DraftUsage | undefined {
    return this.#drafts;
  }

  /** Counts the rest of a finished request. Most requests were not sampled before, so nothing is stored for them. */
  recordFinished(record: RequestRecord): void {
    this.#count(record, this.#counted.get(record) ?? createCounted());
    const drafts = record.usage?.drafts;
    if (drafts === undefined) return;
    const { drafted = 0, accepted = 0 } = this.#drafts ?? {};
    this.#drafts = { drafted: drafted + drafts.drafted, accepted: accepted + drafts.accepted };
  }

  /** Counts a finished request to the API. */
  recordOutcome(outcome: RequestOutcome['outcome']): void {
    this.#requests += 1;
    if (outcome === 'refused' || outcome === 'broken_off') this.#errors += 1;
  }

  sample(at = Date.now()): void {
    for (const record of this.#sources.liveRequests.records) this.#countLive(record);
    const { leased, waiting } = this.#sources.scheduler.counts;
    const now = performance.now();
    const [firstTokenP50 = null, firstTokenP95 = null] = this.#firstTokenTimes.quantiles([0.5, 0.95], now);
    const [promptP50 = null, promptP95 = null] = this.#promptTimes.quantiles([0.5, 0.95], now);
    const [waitP50 = null, waitP95 = null] = this.#waitTimes.quantiles([0.5, 0.95], now);
    const quantiles = { firstTokenP50, firstTokenP95, promptP50, promptP95, waitP50, waitP95 };
    const counts = { tokens: this.#tokens, requests: this.#requests, errors: this.#errors };
    const sample = { at, ...counts, ...quantiles, running: leased, waiting };
    this.#samples.push(sample);
    this.#tokens = this.#requests = this.#errors = 0;
    this.#dropOldest();
    this.#onSample(sample);
  }

  #dropOldest(): void {
    this.#samples.splice(0, this.#samples.length - MAX_SAMPLES);
  }

  #countLive(record: RequestRecord): void {
    let counted = this.#counted.get(record);
    if (counted === undefined) {
      counted = createCounted();
      this.#counted.set(record, counted);
    }
    this.#count(record, counted);
  }

  #count(record: RequestRecord, counted: Counted): void {
    const tokens = record.usage?.output ?? record.responseTail?.generated ?? 0;
    this.#tokens += Math.max(tokens - counted.tokens, 0);
    counted.tokens = Math.max(tokens, counted.tokens);
    const now = performance.now();
    if (!counted.wait && record.queuedMs !== undefined) {
      counted.wait = true;
      this.#waitTimes.add(record.queuedMs / 1000, now);
    }
    const firstByteAt = record.firstByteAt ?? record.responseTail?.firstByteAt;
    if (!counted.firstToken && record.streamed && firstByteAt !== undefined) {
      counted.firstToken = true;
      const firstTokenMs = firstByteAt - record.startedAt;
      this.#firstTokenTimes.add(firstTokenMs / 1000, now);
      this.#promptTimes.add(Math.max(firstTokenMs - (record.queuedMs ?? 0), 0) / 1000, now);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

const createCounted = (): Counted => ({ tokens: 0, wait: false, firstToken: false });

/** Quantiles of the values of a recent period. */
export class RecentValues {
  readonly #maxAgeMs: number;
  /** Two rings: numbers alone, as objects for each request would soon fill the memory of long-lived ones. */
  readonly #values: Float64Array;
  readonly #times: Float64Array;
  #next = 0;
  #count = 0;

  /** Beyond `max` values the oldest are dropped: more would hardly change the quantiles. */
  constructor(maxAgeMs: number, max: number) {
    this.#maxAgeMs = maxAgeMs;
    this.#values = new Float64Array(max);
    this.#times = new Float64Array(max);
  }

  add(value: number, at: number): void {
    this.#values[this.#next] = value;
    this.#times[this.#next] = at;
    this.#next = (this.#next + 1) % this.#values.length;
    this.#count = Math.min(this.#count + 1, this.#values.length);
  }

  /** The value at each fraction, such as 0.95; null if there are no values. */
  quantiles(fractions: readonly number[], now: number): (number | null)[] {
    const isRecent = (at: number | undefined) => at !== undefined && at > now - this.#maxAgeMs;
    const sorted = this.#values
      .subarray(0, this.#count)
      .filter((_, n) => isRecent(this.#times[n]))
      .sort();
    return fractions.map((fraction) => sorted[Math.max(Math.ceil(fraction * sorted.length) - 1, 0)] ?? null);
  }
}
