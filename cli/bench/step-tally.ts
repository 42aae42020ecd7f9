import type { OnChunk } from './bench-client.ts';
import { LatencyHistogram } from './distribution.ts';
import type { Outcome } from './outcome.ts';
import type { Step } from './plan.ts';
import type { StepReport } from './report.ts';
import { Timeline } from './timeline.ts';

interface TallyOptions {
  /** The time that is measured, `performance.now()`. */
  readonly from: number;
  readonly until: number;
  readonly isStream: boolean;
}

export interface TallyEnd {
  readonly at: number;
  readonly isPartial: boolean;
  readonly client: StepReport['client'];
}

type Done = Extract<Outcome, { kind: 'done' }>;

/**
 * Everything that is counted of one step. Latencies are those of the requests that started in the measured time, however
 * late they end; throughput is what came in that time, whenever it was asked for, so that neither a slow start nor the
 * last requests' end, when the load is less already, touches it.
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
  readonly #output = { told: 0, pieces: 0, isTold: false };

  constructor(options: TallyOptions) {
    this.#options = options;
    this.#timeline = new Timeline(options.from);
  }

  /** For a person who watches. */
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
      this.#output.told += usage.output;
      this.#output.isTold = true;
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
        output: this.#output.isTold ? this.#output.told : this.#output.pieces * tokensPerPiece,
        from: this.#output.isTold ? 'usage' : 'counted',
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

  /** One where nothing is told; of an answer in one piece nothing is known then. */
  #tokensPerPiece(): number {
    const { told, pieces, isTold } = this.#output;
    if (isTold && pieces > 0) return told / pieces;
    return this.#options.isStream ? 1 : 0;
  }
}
