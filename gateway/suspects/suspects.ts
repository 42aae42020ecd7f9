import { noteUnforeseen } from '../../log/unforeseen.ts';
import { type Bounds, boundsFor, type Death, GOT_ON, isCulprit } from './judge-death.ts';
import { kernelDigest } from './kernel-digest.ts';
import { Turn } from './turn.ts';

export interface SuspectsOptions {
  /** Looks at the backend, and tells whether it is there. */
  readonly isUp: () => Promise<boolean>;
  /** As the variable of this name. */
  readonly maxReplays: number;
  /** Whether somebody says so when the engine is ended from outside. */
  readonly hearsOfKills: () => boolean;
  /** A body was found to be what the engine died of, so often. */
  readonly onCulprit: (deaths: number) => void;
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
export class Work {
  readonly body: Buffer;
  readonly startedAt = performance.now();
  /** Where it is a suspect: gives the turn back. */
  readonly giveBack: (() => void) | undefined;
  #digest: string | undefined;

  constructor(body: Buffer, giveBack?: () => void) {
    this.body = body;
    this.giveBack = giveBack;
  }

  get digest(): string {
    this.#digest ??= kernelDigest(this.body);
    return this.#digest;
  }
}

/**
 * The bodies that were at work when the engine died: one of them may be what it died of. A suspect is given to the engine
 * again, but no two of them at a time, so that those who were merely there are cleared by their answers; what it dies of
 * twice it is not given again, whoever asks. While nothing has died this costs nothing.
 */
export class Suspects {
  readonly #options: SuspectsOptions;
  readonly #bounds: Bounds;
  readonly #known = new Map<string, Entry>();
  readonly #turn = new Turn();
  /** Whose clients have left, or who were silent for too long: nobody knows whether the engine is at them still. */
  readonly #lingering = new Set<Work>();
  /** The one that is not over: the engine is not back yet. */
  #death: Map<string, number> | undefined;
  /** When that was seen, and when it was last said that no request was to blame, `performance.now()`. */
  #diedAt = Number.NEGATIVE_INFINITY;
  #absolvedAt = Number.NEGATIVE_INFINITY;

  constructor(options: SuspectsOptions) {
    this.#options = options;
    this.#bounds = boundsFor(options.maxReplays);
  }

  /** Whether the engine may be asked about this body beside its being served. */
  isClear(body: Buffer): boolean {
    return this.#entryOf(body) === undefined;
  }

  /** Whether it is what the engine dies of. */
  isCulprit(body: Buffer): boolean {
    return this.#entryOf(body)?.isCulprit ?? false;
  }

  /** For a body that goes to the engine now. Undefined for a suspect while another one is at work: it has to wait. */
  enter(body: Buffer): Work | undefined {
    if (this.isClear(body)) return new Work(body);
    return this.#turn.isTaken ? undefined : new Work(body, this.#turn.take());
  }

  /** Settles when another suspect may go. */
  async turnFree(signal: AbortSignal): Promise<void> {
    await this.#turn.free(signal);
  }

  /** It has said a word: whatever it is, it is not what kills at once, and the next suspect may go unless it was at it twice. */
  heard(work: Work): void {
    if (work.giveBack === undefined) return;
    if ((this.#known.get(work.digest)?.deaths ?? 0) < 2) work.giveBack();
  }

  /** The engine has served it and lives: it is cleared. */
  survived(work: Work): void {
    if (this.#known.size > 0) this.#known.delete(work.digest);
    this.counted(work);
  }

  /** The engine has answered about it, which clears nobody: it may still die of serving it. What lingered before is over. */
  counted(work: Work): void {
    work.giveBack?.();
    for (const other of this.#lingering) if (other.startedAt < work.startedAt) this.#lingering.delete(other);
  }

  /** Nobody waits for it any more; the engine may still be at it. */
  left(work: Work): void {
    work.giveBack?.();
    this.#lingering.add(work);
    const oldest = performance.now() - LINGERS_FOR;
    for (const other of this.#lingering) {
      if (other.startedAt < oldest || this.#lingering.size > MOST) this.#lingering.delete(other);
    }
  }

  /** The engine broke off, having got on by so many tokens that are kept. Settles when it is known whether it has died. */
  async brokeOff(work: Work, progress: number): Promise<void> {
    if (!(await this.#options.isUp())) this.#add(this.#begin(), work, progress);
    work.giveBack?.();
  }

  /** The engine is away. Of whom nobody waits for, nobody else would tell. */
  away(): void {
    if (this.#lingering.size > 0) this.#begin();
  }

  /** It was ended from outside, or on purpose: no request is to blame. */
  absolve(): void {
    this.#absolvedAt = performance.now();
  }

  /** The engine is back: what it died of, as far as that can be told, is settled now. */
  settle(): void {
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
  #add(death: Map<string, number>, work: Work, progress: number): void {
    death.set(work.digest, Math.min(death.get(work.digest) ?? progress, progress));
  }

  #count(digest: string, progress: number): void {
    // Who gets on is no more than unlucky, where nobody would say that the engine was ended from outside.
    const isCleared = progress >= GOT_ON && !this.#options.hearsOfKills();
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

  #judge(digest: string, death: Death): void {
    const entry = this.#known.get(digest);
    if (
      entry === undefined ||
      !isCulprit(digest, death, (it) => this.#known.get(it)?.deaths ?? 0, this.#bounds)
    )
      return;
    entry.isCulprit = true;
    entry.until = performance.now() + CULPRIT_FOR;
    try {
      this.#options.onCulprit(entry.deaths);
    } catch (error) {
      noteUnforeseen(error);
    }
  }

  #entryOf(body: Buffer): Entry | undefined {
    if (this.#known.size === 0) return undefined;
    const digest = kernelDigest(body);
    const entry = this.#known.get(digest);
    if (entry === undefined || entry.until > performance.now()) return entry;
    this.#known.delete(digest);
    return undefined;
  }
}
