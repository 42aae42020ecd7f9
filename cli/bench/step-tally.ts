import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { DAY } from '../../settings/durations.ts';
import type { OnChunk, Outcome } from './bench-client.ts';
import { curveShares, type Moment, type Step, type StepReport, type Summary } from './report.ts';

interface TallyOptions {
  /** Measured interval, `performance.now()`. */
  readonly from: number;
  readonly until: number;
  readonly isStream: boolean;
}

interface TallyEnd {
  readonly at: number;
  readonly isPartial: boolean;
  readonly client: StepReport['client'];
}

type Done = Extract<Outcome, { kind: 'done' }>;

/**
 * Counts everything of one step. Latencies are those of requests that started in the measured interval, however late
 * they end. Throughput is what arrived in the interval, whenever it was requested, so that neither a slow start nor
 * the last requests distort it.
 */
export class StepTally {
  readonly #options: TallyOptions;
  readonly #timeline: Timeline;
  readonly #ttft = new LatencyHistogram();
  readonly #latency = new LatencyHistogram();
  readonly #itl = new LatencyHistogram();
  readonly #queueWait = new LatencyHistogram();
  readonly #streamRate = new LatencyHistogram();
  readonly #errors = new Map<string, number>();
  readonly #requests = { done: 0, failed: 0, abandoned: 0, retries: 0, resent: 0 };
  #inTime = { done: 0, pieces: 0 };
  #input: number | null = null;
  readonly #output = { reported: 0, pieces: 0, isReported: false };

  constructor(options: TallyOptions) {
    this.#options = options;
    this.#timeline = new Timeline(options.from);
  }

  /** For the progress line. */
  get counts(): { readonly done: number; readonly failed: number; readonly pieces: number } {
    return { ...this.#inTime, failed: this.#requests.failed };
  }

  listener(isMeasured: boolean): OnChunk {
    return (at, previous) => {
      if (this.#isInTime(at)) {
        this.#inTime.pieces += 1;
        this.#timeline.chunk(at);
      }
      if (isMeasured && previous !== undefined) this.#itl.add(at - previous);
    };
  }

  resent(): void {
    this.#requests.resent += 1;
  }

  recordRetry(): void {
    this.#requests.retries += 1;
  }

  recordOutcome(outcome: Outcome, startedAt: number, isMeasured: boolean): void {
    if (outcome.kind !== 'abandoned' && this.#isInTime(outcome.endedAt)) this.#countInTime(outcome);
    if (!isMeasured) return;
    this.#requests[outcome.kind] += 1;
    if (outcome.kind === 'failed')
      this.#errors.set(outcome.failure, (this.#errors.get(outcome.failure) ?? 0) + 1);
    if (outcome.kind === 'done') this.#measure(outcome, startedAt);
  }

  #isInTime(at: number): boolean {
    return at >= this.#options.from && at < this.#options.until;
  }

  #countInTime({ kind, endedAt }: Exclude<Outcome, { kind: 'abandoned' }>): void {
    if (kind === 'done') this.#inTime.done += 1;
    this.#timeline[kind](endedAt);
  }

  #measure({ endedAt, firstAt, queuedMs, usage, pieces, lastAt }: Done, startedAt: number): void {
    this.#latency.add(endedAt - startedAt);
    if (queuedMs !== undefined) this.#queueWait.add(queuedMs);
    this.#output.pieces += pieces;
    if (usage) {
      this.#input = (this.#input ?? 0) + usage.input;
      this.#output.reported += usage.output;
      this.#output.isReported = true;
    }
    if (!this.#options.isStream || firstAt === undefined || lastAt === undefined) return;
    this.#ttft.add(firstAt - startedAt);
    if (this.#isInTime(firstAt)) this.#timeline.firstToken(firstAt, firstAt - startedAt);
    const tokens = usage?.output ?? pieces;
    if (tokens > 1 && lastAt > firstAt) this.#streamRate.add(((tokens - 1) * 1000) / (lastAt - firstAt));
  }

  report({ name, load, promptTokens }: Step, { at, isPartial, client }: TallyEnd): StepReport {
    const seconds = (Math.min(at, this.#options.until) - this.#options.from) / 1000;
    const tokensPerPiece = this.#tokensPerPiece();
    return {
      name,
      load,
      promptTokens,
      seconds,
      isPartial,
      requests: { ...this.#requests },
      requestsPerSecond: this.#inTime.done / seconds,
      tokensPerSecond: (this.#inTime.pieces * tokensPerPiece) / seconds,
      tokens: {
        input: this.#input,
        output: this.#output.isReported ? this.#output.reported : this.#output.pieces * tokensPerPiece,
        from: this.#output.isReported ? 'usage' : 'counted',
      },
      ttftMs: this.#ttft.summary(),
      latencyMs: this.#latency.summary(),
      itlMs: this.#itl.summary(),
      queueWaitMs: this.#queueWait.summary(),
      streamTokensPerSecond: this.#streamRate.summary(),
      errors: [...this.#errors]
        .map(([kind, count]) => ({ kind, count }))
        .sort((a, b) => b.count - a.count || a.kind.localeCompare(b.kind)),
      timeline: this.#timeline.moments(tokensPerPiece),
      client,
    };
  }

  /** 1 if the endpoint reports no usage; unknown without streaming. */
  #tokensPerPiece(): number {
    const { reported, pieces, isReported } = this.#output;
    if (isReported && pieces > 0) return reported / pieces;
    return this.#options.isStream ? 1 : 0;
  }
}

/** Collects values in Node's HDR histogram: accurate to 0.1%, with constant memory. */
export class LatencyHistogram {
  // In thousandths of a millisecond, up to one day.
  readonly #thousandths: RecordableHistogram = createHistogram({
    lowest: 1,
    highest: 1000 * DAY,
    figures: 3,
  });

  add(value: number): void {
    this.#thousandths.record(Math.min(Math.max(1, Math.round(value * 1000)), 1000 * DAY));
  }

  /** Null without values. */
  summary(): Summary | null {
    const { count, mean, max } = this.#thousandths;
    if (count === 0) return null;
    // Node returns the upper end of a bucket, which may exceed the maximum.
    const at = (share: number) => Math.min(this.#thousandths.percentile(share || 1e-9), max) / 1000;
    return {
      count,
      mean: mean / 1000,
      p50: at(50),
      p90: at(90),
      p95: at(95),
      p99: at(99),
      max: max / 1000,
      curve: curveShares.map(at),
    };
  }
}

interface Second {
  done: number;
  failed: number;
  pieces: number;
  readonly firstTokens: number[];
}

const MAX_MOMENTS = 300;

/** Counts what happened in each second of a measurement. */
export class Timeline {
  readonly #from: number;
  readonly #seconds: Second[] = [];

  /** `from` and every `at` are `performance.now()`; anything before `from` is ignored. */
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

  /** At most 300 moments; in a long run each covers several seconds. */
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
