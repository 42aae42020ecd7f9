import type { GpuSample } from './gpu-sample.ts';
import { type GpuTrouble, troubleFromExitCode } from './gpu-trouble.ts';
import { parseLine } from './parse-line.ts';
import { buildArguments, fullQuery, withoutField } from './query.ts';
import { findProgram, nextRestart, runSmi, type SmiRun } from './run-smi.ts';

export interface GpuMonitorOptions {
  /** nvidia-smi: a path, or a name that is looked up on the `PATH`. */
  readonly program: string;
  readonly intervalMs: number;
  /** Time allowed for the first samples of a run: a driver without persistence takes seconds to load for each GPU. */
  readonly firstSampleTimeoutMs?: number;
  /** Time allowed for each later sample; by default five intervals, at least ten seconds. */
  readonly sampleTimeoutMs?: number;
  readonly onSample?: (sample: GpuSample) => void;
  /** Called when the reason for missing samples changes; undefined means that none are missing any more. */
  readonly onTrouble: (trouble: GpuTrouble | undefined) => void;
}

/**
 * Reads the GPUs from one long-running nvidia-smi. The process is restarted when it exits and killed when it stops
 * writing. A process that cannot even be killed, as happens when a driver hangs, is waited for: a second one would hang too.
 */
export class GpuMonitor {
  readonly #options: GpuMonitorOptions;
  readonly #sampleTimeoutMs: number;
  readonly #latest = new Map<number, GpuSample>();
  #query = fullQuery;
  #failures = 0;
  #run: SmiRun | undefined;
  #timer: NodeJS.Timeout | undefined;
  #reported: GpuTrouble | undefined;
  /** The last trouble found in the output, and when. */
  #lastTrouble: { readonly trouble: GpuTrouble; readonly at: number } | undefined;
  #startedAt = 0;
  /** How long the latest successful run took to its first samples: samples may get this much older during a restart. */
  #startupMs = 0;
  #producedSamples = false;
  #queryChanged = false;
  #closed = false;

  constructor(options: GpuMonitorOptions) {
    this.#options = options;
    this.#sampleTimeoutMs = options.sampleTimeoutMs ?? Math.max(5 * options.intervalMs, 10_000);
    const file = findProgram(options.program, process.env.PATH);
    if (file === undefined) this.#report('absent');
    else void this.#runOnce(file);
  }

  /** The latest sample of each GPU that still reports, by index. */
  get samples(): readonly GpuSample[] {
    const oldest = performance.now() - this.#sampleTimeoutMs - this.#startupMs;
    return [...this.#latest.values()].filter(({ at }) => at >= oldest).sort((a, b) => a.index - b.index);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#run?.kill();
  }

  async #runOnce(file: string): Promise<void> {
    this.#startedAt = performance.now();
    this.#producedSamples = false;
    this.#queryChanged = false;
    this.#setTimeout(this.#options.firstSampleTimeoutMs ?? 30_000);
    const args = buildArguments(this.#query, this.#options.intervalMs);
    this.#run = runSmi(file, args, (line) => this.#onLine(line));
    const code = await this.#run.ended;
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#reportExit(code);
    const result = {
      ranForMs: performance.now() - this.#startedAt,
      freshForMs: this.#sampleTimeoutMs,
      producedSamples: this.#producedSamples,
      queryChanged: this.#queryChanged,
    };
    const { delayMs, failures } = nextRestart(result, this.#failures);
    this.#failures = failures;
    this.#timer = setTimeout(() => void this.#runOnce(file), delayMs).unref();
  }

  #onLine(text: string): void {
    const line = parseLine(text, this.#query, performance.now());
    switch (line.kind) {
      case 'sample':
        this.#onSample(line.sample);
        break;
      case 'trouble':
        this.#lastTrouble = { trouble: line.trouble, at: performance.now() };
        // Only one of several GPUs is affected: the others and this run continue.
        if (this.#producedSamples) this.#report(line.trouble);
        break;
      case 'unknown-field':
        this.#queryChanged ||= [...this.#query.values()].includes(line.name);
        this.#query = withoutField(this.#query, line.name);
    }
  }

  #onSample(sample: GpuSample): void {
    if (!this.#producedSamples) this.#startupMs = sample.at - this.#startedAt;
    this.#producedSamples = true;
    this.#setTimeout(this.#sampleTimeoutMs);
    this.#latest.set(sample.index, sample);
    this.#options.onSample?.(sample);
    if (this.#isHealthy(sample.at)) this.#report(undefined);
  }

  /** After repeated exits only a run that has lasted counts as healthy, not one with a first sample. */
  #isHealthy(now: number): boolean {
    if (this.#lastTrouble !== undefined && now - this.#lastTrouble.at <= this.#sampleTimeoutMs) return false;
    return this.#failures < 2 || now - this.#startedAt > this.#sampleTimeoutMs;
  }

  /** Kills this run if it writes no sample for this long. */
  #setTimeout(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#report('hung');
      this.#run?.kill();
    }, ms).unref();
  }

  #reportExit(code: number | null): void {
    if (this.#queryChanged || this.#reported === 'hung') return;
    const last = this.#lastTrouble;
    const ofRun = last && last.at >= this.#startedAt ? last.trouble : undefined;
    const ofCode = troubleFromExitCode(code);
    if (ofRun === undefined && ofCode !== undefined)
      this.#lastTrouble = { trouble: ofCode, at: performance.now() };
    this.#report(ofRun ?? ofCode ?? 'ended');
  }

  #report(trouble: GpuTrouble | undefined): void {
    if (trouble === this.#reported || this.#closed) return;
    this.#reported = trouble;
    this.#options.onTrouble(trouble);
  }
}
