import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import {
  type CrashCauseLimits,
  crashCauseLimits,
  type EngineCrash,
  isCrashCause,
  MADE_PROGRESS,
} from './crash-cause.ts';
import { ExclusiveTurn } from './exclusive-turn.ts';
import { promptDigest } from './prompt-digest.ts';

export interface QuarantineOptions {
  /** Looks at the backend, and tells whether it is there. */
  readonly isBackendUp: () => Promise<boolean>;
  /** As the variable of this name. */
  readonly maxReplays: number;
  /** Whether somebody says so when the engine is ended from outside. */
  readonly reportsKills: () => boolean;
  /** A body was found to be what the engine died of, so often. */
  readonly onBlocked: (deaths: number) => void;
}

/** How long a body is remembered after the last death at which it was at work, ms. */
const SUSPECT_FOR = 10 * 60_000;
const CULPRIT_FOR = 60 * 60_000;
/** The most bodies that are remembered. */
const MOST = 1000;
/** Between a death as the gateway sees it and the word of the supervisor on it, ms. */
const SAME_DEATH = 5000;
/** Of those whose clients have left: how long the engine may still be at them, ms. */
const LINGERS_FOR = 10 * 60_000;

interface Entry {
  deaths: number;
  isCulprit: boolean;
  until: number;
}

/** One use of a body at the engine: a request sent, or a question how many tokens it has. */
export class TrackedRequest {
  readonly body: Buffer;
  readonly startedAt = performance.now();
  /** Where it is a suspect: gives the turn back. */
  readonly releaseTurn: (() => void) | undefined;
  #digest: string | undefined;

  constructor(body: Buffer, giveBack?: () => void) {
    this.body = body;
    this.releaseTurn = giveBack;
  }

  get digest(): string {
    this.#digest ??= promptDigest(this.body);
    return this.#digest;
  }
}

/**
 * The bodies that were at work when the engine died: one of them may be what it died of. A suspect is given to the engine
 * again, but no two of them at a time, so that those who were merely there are cleared by their answers; what it dies of
 * twice it is not given again, whoever asks. While nothing has died this costs nothing.
 */
export class Quarantine {
  readonly #options: QuarantineOptions;
  readonly #bounds: CrashCauseLimits;
  readonly #known = new Map<string, Entry>();
  readonly #turn = new ExclusiveTurn();
  /** Whose clients have left, or who were silent for too long: nobody knows whether the engine is at them still. */
  readonly #lingering = new Set<TrackedRequest>();
  /** The one that is not over: the engine is not back yet. */
  #death: Map<string, number> | undefined;
  /** When that was seen, and when it was last said that no request was to blame, `performance.now()`. */
  #diedAt = Number.NEGATIVE_INFINITY;
  #absolvedAt = Number.NEGATIVE_INFINITY;

  constructor(options: QuarantineOptions) {
    this.#options = options;
    this.#bounds = crashCauseLimits(options.maxReplays);
  }

  /** Whether the engine may be asked about this body beside its being served. */
  isClear(body: Buffer): boolean {
    return this.#entryOf(body) === undefined;
  }

  /** Whether it is what the engine dies of. */
  isBlocked(body: Buffer): boolean {
    return this.#entryOf(body)?.isCulprit ?? false;
  }

  /** For a body that goes to the engine now. Undefined for a suspect while another one is at work: it has to wait. */
  start(body: Buffer): TrackedRequest | undefined {
    if (this.isClear(body)) return new TrackedRequest(body);
    return this.#turn.isTaken ? undefined : new TrackedRequest(body, this.#turn.take());
  }

  /** Settles when another suspect may go. */
  async waitForTurn(signal: AbortSignal): Promise<void> {
    await this.#turn.whenFree(signal);
  }

  /** It has said a word: whatever it is, it is not what kills at once, and the next suspect may go unless it was at it twice. */
  onTokens(work: TrackedRequest): void {
    if (work.releaseTurn === undefined) return;
    if ((this.#known.get(work.digest)?.deaths ?? 0) < 2) work.releaseTurn();
  }

  /** The engine has served it and lives: it is cleared. */
  completed(work: TrackedRequest): void {
    if (this.#known.size > 0) this.#known.delete(work.digest);
    this.counted(work);
  }

  /** The engine has answered about it, which clears nobody: it may still die of serving it. What lingered before is over. */
  counted(work: TrackedRequest): void {
    work.releaseTurn?.();
    for (const other of this.#lingering) if (other.startedAt < work.startedAt) this.#lingering.delete(other);
  }

  /** Nobody waits for it any more; the engine may still be at it. */
  abandoned(work: TrackedRequest): void {
    work.releaseTurn?.();
    this.#lingering.add(work);
    const oldest = performance.now() - LINGERS_FOR;
    for (const other of this.#lingering) {
      if (other.startedAt < oldest || this.#lingering.size > MOST) this.#lingering.delete(other);
    }
  }

  /** The engine broke off, having got on by so many tokens that are kept. Settles when it is known whether it has died. */
  async connectionLost(work: TrackedRequest, progress: number): Promise<void> {
    if (!(await this.#options.isBackendUp())) this.#add(this.#begin(), work, progress);
    work.releaseTurn?.();
  }

  /** The engine is away. Of whom nobody waits for, nobody else would tell. */
  onBackendDown(): void {
    if (this.#lingering.size > 0) this.#begin();
  }

  /** It was ended from outside, or on purpose: no request is to blame. */
  excuseCrash(): void {
    this.#absolvedAt = performance.now();
  }

  /** The engine is back: what it died of, as far as that can be told, is settled now. */
  onBackendUp(): void {
    const death = this.#death;
    this.#death = undefined;
    if (death === undefined || Math.abs(this.#diedAt - this.#absolvedAt) < SAME_DEATH) return;
    for (const [digest, progress] of death) this.#count(digest, progress);
    for (const digest of death.keys()) this.#judge(digest, death);
  }

  #begin(): Map<string, number> {
    if (this.#death !== undefined) return this.#death;
    const death = new Map<string, number>();
    for (const gone of this.#lingering) this.#add(death, gone, 0);
    this.#lingering.clear();
    this.#death = death;
    this.#diedAt = performance.now();
    return death;
  }

  /** Of two uses of one body the one that got on less tells more. */
  #add(death: Map<string, number>, work: TrackedRequest, progress: number): void {
    death.set(work.digest, Math.min(death.get(work.digest) ?? progress, progress));
  }

  #count(digest: string, progress: number): void {
    // Who gets on is no more than unlucky, where nobody would say that the engine was ended from outside.
    const isCleared = progress >= MADE_PROGRESS && !this.#options.reportsKills();
    const before = isCleared ? 0 : (this.#known.get(digest)?.deaths ?? 0);
    this.#known.delete(digest);
    this.#known.set(digest, {
      deaths: before + 1,
      isCulprit: false,
      until: performance.now() + SUSPECT_FOR,
    });
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST && oldest !== undefined) this.#known.delete(oldest);
  }

  #judge(digest: string, death: EngineCrash): void {
    const entry = this.#known.get(digest);
    if (
      entry === undefined ||
      !isCrashCause(digest, death, (it) => this.#known.get(it)?.deaths ?? 0, this.#bounds)
    )
      return;
    entry.isCulprit = true;
    entry.until = performance.now() + CULPRIT_FOR;
    try {
      this.#options.onBlocked(entry.deaths);
    } catch (error) {
      recordUnhandledError(error);
    }
  }

  #entryOf(body: Buffer): Entry | undefined {
    if (this.#known.size === 0) return undefined;
    const digest = promptDigest(body);
    const entry = this.#known.get(digest);
    if (entry === undefined || entry.until > performance.now()) return entry;
    this.#known.delete(digest);
    return undefined;
  }
}
