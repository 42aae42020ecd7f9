import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import type { Child, ChildExit } from './child.ts';
import { type ChildEvent, type ChildState, initialState, nextChildState } from './child-state.ts';
import { forgiveExits, type RestartPolicy } from './restart-policy.ts';

export interface ManagedProcessOptions {
  readonly spawn: () => Child;
  readonly policy: RestartPolicy;
  /** What an unexpected exit means for the state; without it, every exit counts as a plain crash. */
  readonly classifyExit?: (exit: ChildExit) => ChildEvent;
  readonly onStarted?: () => void;
  /** Called for every exit; the state shows what follows. */
  readonly onExit: (exit: ChildExit, state: ChildState) => void;
}

/** A child process that is restarted whenever it exits, until restarts are disabled or the policy gives up. */
export class ManagedProcess {
  readonly #options: ManagedProcessOptions;
  #state: ChildState = initialState;
  #child: Child | undefined;
  #starts = 0;
  #restartTimer: NodeJS.Timeout | undefined;

  constructor(options: ManagedProcessOptions) {
    this.#options = options;
  }

  get state(): ChildState {
    return this.#state;
  }

  /** The process that runs now. */
  get child(): Child | undefined {
    return this.#child;
  }

  /** Restarts after crashes. Replacements do not count. */
  get restarts(): number {
    return Math.max(0, this.#starts - 1);
  }

  start(): void {
    if (this.#state.phase !== 'replacing') this.#starts += 1;
    const child = this.#options.spawn();
    this.#child = child;
    this.#advance('started');
    this.#options.onStarted?.();
    child.exited.then((exit) => this.#onExit(exit)).catch(recordUnhandledError);
  }

  /** Stops the child, by SIGKILL after the grace period, and starts another at once. Has no effect once restarts are disabled. */
  replace(graceMs: number): void {
    this.#advance('replace-requested');
    if (this.#state.phase !== 'replacing') return;
    clearTimeout(this.#restartTimer);
    if (this.#child) stop(this.#child, graceMs);
    else this.start();
  }

  /** The last `count` exits no longer count towards giving up. */
  forgiveExits(count: number): void {
    this.#state = { ...this.#state, history: forgiveExits(this.#state.history, count) };
  }

  /** No restarts from now on. The caller still has to stop the running child. */
  disableRestart(): void {
    clearTimeout(this.#restartTimer);
    this.#advance('stop-requested');
  }

  /** No restarts from now on. Resolves when the child has exited, by SIGKILL after the grace period. */
  async stop(graceMs: number): Promise<void> {
    this.disableRestart();
    if (this.#child === undefined) return;
    stop(this.#child, graceMs);
    await this.#child.exited;
  }

  #advance(event: ChildEvent): void {
    this.#state = nextChildState(this.#state, event, this.#options.policy, performance.now());
  }

  #onExit(exit: ChildExit): void {
    this.#child = undefined;
    const isUnexpected = this.#state.phase === 'running';
    this.#advance((isUnexpected ? this.#options.classifyExit?.(exit) : undefined) ?? 'exited');
    if (this.#state.phase === 'waiting')
      this.#restartTimer = setTimeout(() => this.start(), Math.max(this.#state.until - performance.now(), 0));
    try {
      this.#options.onExit(exit, this.#state);
    } finally {
      // The replacement is started even if the callback throws.
      if (this.#state.phase === 'replacing') this.start();
    }
  }
}

function stop(child: Child, graceMs: number): void {
  child.signal('SIGTERM');
  const killTimer = setTimeout(() => child.kill(), graceMs);
  child.exited.then(() => clearTimeout(killTimer)).catch(recordUnhandledError);
}
