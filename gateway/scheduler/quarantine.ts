import type { BackendMonitor } from '../../health/backend-monitor.ts';
import type { Log } from '../../log/create-log.ts';
import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import { BoundedMap } from '../bounded-map.ts';
import type { CancelSignal } from '../cancellation.ts';
import type { SupervisorClient } from '../ipc/supervisor-client.ts';
import {
  type CrashCauseLimits,
  crashCauseLimits,
  type EngineCrash,
  isCrashCause,
  MADE_PROGRESS,
  promptDigest,
} from './crash-cause.ts';

export interface QuarantineOptions {
  /** Probes the backend. */
  readonly isBackendUp: () => Promise<boolean>;
  /** The variable of this name. */
  readonly maxReplays: number;
  /** Whether a supervisor reports it when the engine is killed from outside. */
  readonly reportsKills: () => boolean;
  /** The engine has crashed on one body, this many times. */
  readonly onBlocked: (crashes: number) => void;
}

/** How long a body is remembered after the last crash at which it was at the engine, ms. */
const SUSPECT_FOR = 10 * 60_000;
const BLOCKED_FOR = 60 * 60_000;
/** The most bodies that are remembered. */
const MAX_ENTRIES = 1000;
/** The longest time between a crash as the gateway sees it and the supervisor's report on it, ms. */
const SAME_CRASH = 5000;
/** How long the engine may still work on a request whose client has left, ms. */
const ABANDONED_FOR = 10 * 60_000;

interface SuspectBody {
  crashes: number;
  isBlocked: boolean;
  until: number;
}

/** By digest, the bodies that were at an engine when it crashed. The engines of one model share them. */
export type SuspectBodies = BoundedMap<string, SuspectBody>;

export const createSuspects = (): SuspectBodies => new BoundedMap(MAX_ENTRIES);

/** One use of a body at the engine: a request, or a count of its tokens. */
export class TrackedRequest {
  readonly body: Buffer;
  readonly startedAt = performance.now();
  /** Set for a suspect: lets the next one go. */
  readonly releaseTurn: (() => void) | undefined;
  #digest: string | undefined;

  constructor(body: Buffer, releaseTurn?: () => void) {
    this.body = body;
    this.releaseTurn = releaseTurn;
  }

  get digest(): string {
    this.#digest ??= promptDigest(this.body);
    return this.#digest;
  }
}

/**
 * Remembers the bodies that were at the engine when it crashed: one of them may be the cause. Suspects are sent again one after
 * the other: the next goes when the one before has produced its first token, or has ended. One that was merely there is no
 * suspect any more when its own response is complete. A body that was there at two crashes is blocked, for all clients, if no
 * other can be the cause. While nothing has crashed, this costs one object per request and no digest.
 */
export class Quarantine {
  readonly #options: QuarantineOptions;
  readonly #limits: CrashCauseLimits;
  readonly #known: SuspectBodies;
  readonly #turn = new ExclusiveTurn();
  /** Their clients have left, or they were silent for too long: the engine may still work on them. */
  readonly #abandoned = new Set<TrackedRequest>();
  /** The crash that is not over: the engine is not back yet. */
  #crash: Map<string, number> | undefined;
  #crashedAt = Number.NEGATIVE_INFINITY;
  /** When it was last reported that no request was the cause, `performance.now()`. */
  #ignoredAt = Number.NEGATIVE_INFINITY;

  constructor(options: QuarantineOptions, suspects = createSuspects()) {
    this.#options = options;
    this.#known = suspects;
    this.#limits = crashCauseLimits(options.maxReplays);
  }

  /** Whether the engine may have crashed on this body. The tokens of a suspect are not counted unless the client asks for it. */
  isSuspect(body: Buffer): boolean {
    return this.#entryOf(body) !== undefined;
  }

  /** Whether the engine has crashed on this body repeatedly. */
  isBlocked(body: Buffer): boolean {
    return this.#entryOf(body)?.isBlocked ?? false;
  }

  /** To be called when a body goes to the engine. Undefined for a suspect while another one is there: it has to wait. */
  start(body: Buffer): TrackedRequest | undefined {
    if (!this.isSuspect(body)) return new TrackedRequest(body);
    return this.#turn.isTaken ? undefined : new TrackedRequest(body, this.#turn.take());
  }

  /** Resolves when another suspect may go. */
  async waitForTurn(signal: CancelSignal): Promise<void> {
    await this.#turn.whenFree(signal);
  }

  /** It has produced tokens, so it does not crash the engine at once: the next suspect may go, unless it was there at two crashes. */
  onTokens(request: TrackedRequest): void {
    if (request.releaseTurn === undefined) return;
    if ((this.#known.get(request.digest)?.crashes ?? 0) < 2) request.releaseTurn();
  }

  /** The engine has served it and lives: it is no suspect any more. */
  completed(request: TrackedRequest): void {
    if (this.#known.size > 0) this.#known.delete(request.digest);
    this.counted(request);
  }

  /**
   * The engine has counted its tokens. A suspect remains one, as the engine may still crash when it serves the request. Requests
   * that were abandoned earlier are over.
   */
  counted(request: TrackedRequest): void {
    request.releaseTurn?.();
    for (const other of this.#abandoned)
      if (other.startedAt < request.startedAt) this.#abandoned.delete(other);
  }

  /** No client waits for it any more; the engine may still work on it. */
  abandoned(request: TrackedRequest): void {
    request.releaseTurn?.();
    this.#abandoned.add(request);
    const oldest = performance.now() - ABANDONED_FOR;
    for (const other of this.#abandoned) {
      if (other.startedAt < oldest || this.#abandoned.size > MAX_ENTRIES) this.#abandoned.delete(other);
    }
  }

  /** The engine broke off after `progress` tokens that are kept. Resolves when it is known whether it has crashed. */
  async connectionLost(request: TrackedRequest, progress: number): Promise<void> {
    if (!(await this.#options.isBackendUp())) addProgress(this.#beginCrash(), request, progress);
    request.releaseTurn?.();
  }

  /** Abandoned requests have nobody else to report that they were at the engine. */
  onBackendDown(): void {
    if (this.#abandoned.size > 0) this.#beginCrash();
  }

  /** The engine was killed from outside, or restarted on purpose: no request is the cause. */
  ignoreCrash(): void {
    this.#ignoredAt = performance.now();
  }

  /** Decides what the engine crashed on, as far as that can be known. */
  onBackendUp(): void {
    const crash = this.#crash;
    this.#crash = undefined;
    if (crash === undefined || Math.abs(this.#crashedAt - this.#ignoredAt) < SAME_CRASH) return;
    for (const [digest, progress] of crash) this.#countCrash(digest, progress);
    for (const digest of crash.keys()) this.#blockIfCause(digest, crash);
  }

  #beginCrash(): Map<string, number> {
    if (this.#crash !== undefined) return this.#crash;
    const crash = new Map<string, number>();
    for (const request of this.#abandoned) addProgress(crash, request, 0);
    this.#abandoned.clear();
    this.#crash = crash;
    this.#crashedAt = performance.now();
    return crash;
  }

  #countCrash(digest: string, progress: number): void {
    // If nobody reports kills, a request that made progress was probably only unlucky.
    const startsOver = progress >= MADE_PROGRESS && !this.#options.reportsKills();
    const before = startsOver ? 0 : (this.#known.get(digest)?.crashes ?? 0);
    this.#known.set(digest, {
      crashes: before + 1,
      isBlocked: false,
      until: performance.now() + SUSPECT_FOR,
    });
  }

  #blockIfCause(digest: string, crash: EngineCrash): void {
    const entry = this.#known.get(digest);
    const crashes = (other: string) => this.#known.get(other)?.crashes ?? 0;
    if (entry === undefined || !isCrashCause(digest, crash, crashes, this.#limits)) return;
    entry.isBlocked = true;
    entry.until = performance.now() + BLOCKED_FOR;
    try {
      this.#options.onBlocked(entry.crashes);
    } catch (error) {
      recordUnhandledError(error);
    }
  }

  #entryOf(body: Buffer): SuspectBody | undefined {
    if (this.#known.size === 0) return undefined;
    const digest = promptDigest(body);
    const entry = this.#known.get(digest);
    if (entry === undefined || entry.until > performance.now()) return entry;
    this.#known.delete(digest);
    return undefined;
  }
}

/** If one body was used twice, the use with less progress counts. */
function addProgress(crash: Map<string, number>, request: TrackedRequest, progress: number): void {
  crash.set(request.digest, Math.min(crash.get(request.digest) ?? progress, progress));
}

/** A lock that is tried, not queued for. */
class ExclusiveTurn {
  #isTaken = false;
  readonly #waiting = new Set<() => void>();

  get isTaken(): boolean {
    return this.#isTaken;
  }

  /** Only while it is free. Returns the function that releases it, once. */
  take(): () => void {
    this.#isTaken = true;
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      this.#isTaken = false;
      for (const resolve of [...this.#waiting]) resolve();
    };
  }

  /** Resolves when it may be free, or when the signal aborts. */
  async whenFree(signal: CancelSignal): Promise<void> {
    if (!this.#isTaken || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const onFree = () => resolve();
    this.#waiting.add(onFree);
    signal.addEventListener('abort', onFree, { once: true });
    await promise;
    this.#waiting.delete(onFree);
    signal.removeEventListener('abort', onFree);
  }
}

interface QuarantineServices {
  readonly monitor: () => Pick<BackendMonitor, 'status' | 'probe'>;
  readonly maxReplays: number;
  readonly log: Log;
  readonly supervisor: Pick<SupervisorClient, 'isPresent' | 'reportCrashCause'>;
  /** The id of the engine; undefined for the only one. */
  readonly engine: string | undefined;
  /** Shared with the other engines of the model. */
  readonly suspects: SuspectBodies | undefined;
}

/** The quarantine of one backend. */
export function createQuarantine(services: QuarantineServices): Quarantine {
  const { monitor, maxReplays, log, supervisor, engine, suspects } = services;
  const options: QuarantineOptions = {
    maxReplays,
    reportsKills: () => supervisor.isPresent,
    async isBackendUp() {
      await monitor().probe();
      return monitor().status === 'ready';
    },
    onBlocked(crashes) {
      log.warn({ deaths: crashes }, 'blocked a request that crashed the engine repeatedly');
      supervisor.reportCrashCause(crashes, engine);
    },
  };
  return new Quarantine(options, suspects);
}
