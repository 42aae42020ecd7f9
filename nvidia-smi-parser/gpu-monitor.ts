import { findProgram } from './find-program.ts';
import type { GpuSample } from './gpu-sample.ts';
import { type GpuTrouble, troubleFromExitCode } from './gpu-trouble.ts';
import { parseLine } from './parse-line.ts';
import { buildArguments, fullQuery, withoutField } from './query.ts';
import { nextRestart } from './restart-delay.ts';
import { runSmi, type SmiRun } from './run-smi.ts';

export interface GpuMonitorOptions {
  /** nvidia-smi: a path, or a name that is looked for on the `PATH`. */
  readonly program: string;
  readonly intervalMs: number;
  /** How long the first figures of a run may take: a driver that is not kept loaded takes seconds for each GPU. */
  readonly firstSampleTimeoutMs?: number;
  /** How long the next ones may take; from five intervals and ten seconds the longer where nothing is given. */
  readonly sampleTimeoutMs?: number;
  readonly onSample?: (sample: GpuSample) => void;
  /** Called when the reason changes why figures are missing, with undefined when none are missing any more. */
  readonly onTrouble: (trouble: GpuTrouble | undefined) => void;
}

/**
 * Follows the GPUs by one nvidia-smi that stays: it is started again when it ends, and ended when it falls silent. One
 * that cannot even be killed, as happens while a driver hangs, is waited for rather than joined by a second.
 */
export class GpuMonitor {
  readonly #options: GpuMonitorOptions;
  readonly #patienceMs: number;
  readonly #latest = new Map<number, GpuSample>();
  #query = fullQuery;
  #failures = 0;
  #run: SmiRun | undefined;
  #timer: NodeJS.Timeout | undefined;
  #told: GpuTrouble | undefined;
  /** The last trouble that a line told of, and when. */
  #heard: { readonly trouble: GpuTrouble; readonly at: number } | undefined;
  #startedAt = 0;
  /** How long the latest run of use took to its first figures: so much older they may be while the next one starts. */
  #startTookMs = 0;
  #gaveSamples = false;
  #asksAnew = false;
  #closed = false;

  constructor(options: GpuMonitorOptions) {
    this.#options = options;
    this.#patienceMs = options.sampleTimeoutMs ?? Math.max(5 * options.intervalMs, 10_000);
    const file = findProgram(options.program, process.env.PATH);
    if (file === undefined) this.#tell('absent');
    else void this.#runOnce(file);
  }

  /** The latest of each GPU that still answers, by index. */
  get samples(): readonly GpuSample[] {
    const oldest = performance.now() - this.#patienceMs - this.#startTookMs;
    return [...this.#latest.values()].filter(({ at }) => at >= oldest).sort((a, b) => a.index - b.index);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#run?.kill();
  }

  async #runOnce(file: string): Promise<void> {
    this.#startedAt = performance.now();
    this.#gaveSamples = false;
    this.#asksAnew = false;
    this.#await(this.#options.firstSampleTimeoutMs ?? 30_000);
    this.#run = runSmi(file, buildArguments(this.#query, this.#options.intervalMs), (line) =>
      this.#read(line),
    );
    const code = await this.#run.ended;
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#explain(code);
    const ran = {
      ranForMs: performance.now() - this.#startedAt,
      freshForMs: this.#patienceMs,
      producedSamples: this.#gaveSamples,
      queryChanged: this.#asksAnew,
    };
    const { delayMs, failures } = nextRestart(ran, this.#failures);
    this.#failures = failures;
    this.#timer = setTimeout(() => void this.#runOnce(file), delayMs).unref();
  }

  #read(text: string): void {
    const line = parseLine(text, this.#query, performance.now());
    switch (line.kind) {
      case 'sample':
        this.#learn(line.sample);
        break;
      case 'trouble':
        this.#heard = { trouble: line.trouble, at: performance.now() };
        // One GPU of several: the others go on, and so does this run.
        if (this.#gaveSamples) this.#tell(line.trouble);
        break;
      case 'unknown-name':
        this.#asksAnew ||= [...this.#query.values()].includes(line.name);
        this.#query = withoutField(this.#query, line.name);
    }
  }

  #learn(sample: GpuSample): void {
    if (!this.#gaveSamples) this.#startTookMs = sample.at - this.#startedAt;
    this.#gaveSamples = true;
    this.#await(this.#patienceMs);
    this.#latest.set(sample.index, sample);
    this.#options.onSample?.(sample);
    if (this.#isWell(sample.at)) this.#tell(undefined);
  }

  /** One that ends again and again is well when a run has lasted, not with each first figure. */
  #isWell(now: number): boolean {
    if (this.#heard !== undefined && now - this.#heard.at <= this.#patienceMs) return false;
    return this.#failures < 2 || now - this.#startedAt > this.#patienceMs;
  }

  /** Ends this run if it says nothing of use for so long. */
  #await(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#tell('hung');
      this.#run?.kill();
    }, ms).unref();
  }

  #explain(code: number | null): void {
    if (this.#asksAnew || this.#told === 'hung') return;
    const heard = this.#heard && this.#heard.at >= this.#startedAt ? this.#heard.trouble : undefined;
    const ofCode = troubleFromExitCode(code);
    if (heard === undefined && ofCode !== undefined) this.#heard = { trouble: ofCode, at: performance.now() };
    this.#tell(heard ?? ofCode ?? 'ended');
  }

  #tell(trouble: GpuTrouble | undefined): void {
    if (trouble === this.#told || this.#closed) return;
    this.#told = trouble;
    this.#options.onTrouble(trouble);
  }
}
