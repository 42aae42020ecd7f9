import type { RestartOutcome, SettingChanges } from '../health/supervisor-messages.ts';
import type { EngineConfig } from './config.ts';
import type { LoadFailure } from './events.ts';
import type { RestartPlan } from './plan-restart.ts';

export interface ReplacementOptions {
  readonly configs: EngineConfigs;
  readonly plan: (changes: SettingChanges) => RestartPlan;
  /** How long requests at the engine may continue. */
  readonly drainTimeoutMs: number;
  /** Stops llama-server and starts it with the current configuration. */
  readonly replaceEngine: () => void;
  /** Called after each change of the report. */
  readonly onChange: (report: ReplacementReport) => void;
}

/** What `/status` shows of the last requested restart. */
export interface ReplacementReport {
  /** draining: requests at the engine may finish · loading: the new engine starts · done · fell-back: as before again. */
  readonly state: 'draining' | 'loading' | 'done' | 'fell-back';
  /** The names of the variables to change. */
  readonly changes: readonly string[];
  readonly since: string;
  /** Why the engine did not load with the changes. */
  readonly failure: LoadFailure | null;
}

/** The configurations of the engine: the one that has served, and a candidate that has not served yet. */
export class EngineConfigs {
  #confirmed: EngineConfig;
  #candidate: EngineConfig | undefined;

  constructor(config: EngineConfig) {
    this.#confirmed = config;
  }

  get current(): EngineConfig {
    return this.#candidate ?? this.#confirmed;
  }

  setCandidate(config: EngineConfig): void {
    this.#candidate = config;
  }

  /** The candidate serves. */
  commit(): void {
    this.#confirmed = this.current;
    this.#candidate = undefined;
  }

  /** Drops the candidate. False if there was none. */
  rollBack(): boolean {
    const hadCandidate = this.#candidate !== undefined;
    this.#candidate = undefined;
    return hadCandidate;
  }
}

/** A requested restart of llama-server: drain, stop, start with the changes, and roll back if it does not load. */
export class EngineReplacement {
  readonly #options: ReplacementOptions;
  #stage: 'none' | 'draining' | 'loading' | 'stopping' = 'none';
  #report: ReplacementReport | undefined;
  #drainTimer: NodeJS.Timeout | undefined;
  #candidate: EngineConfig | undefined;

  constructor(options: ReplacementOptions) {
    this.#options = options;
  }

  get report(): ReplacementReport | undefined {
    return this.#report;
  }

  get isInProgress(): boolean {
    return this.#stage === 'draining' || this.#stage === 'loading';
  }

  /** Finds every problem with the changes before anything happens. */
  request(changes: SettingChanges): RestartOutcome {
    if (this.#stage === 'stopping') return { outcome: 'stopping' };
    if (this.#stage !== 'none') return { outcome: 'in-progress' };
    const plan = this.#options.plan(changes);
    if (!plan.ok) return { outcome: 'rejected', problems: plan.problems };
    const names = Object.keys(changes);
    this.#begin(names.length > 0 ? plan.config : undefined, names);
    return { outcome: 'accepted' };
  }

  /** Changes the configuration as a whole. False during another restart. */
  replaceWith(config: EngineConfig): boolean {
    if (this.#stage !== 'none') return false;
    this.#begin(config, ['MODELS_FILE']);
    return true;
  }

  /** The gateway has no requests at the engine any more. */
  drained(): void {
    if (this.#stage === 'draining') this.#replace();
  }

  engineReady(): void {
    if (this.#stage !== 'loading') return;
    this.#stage = 'none';
    this.#options.configs.commit();
    this.#update({ state: this.#report?.failure ? 'fell-back' : 'done' });
  }

  /** See RestartController.rollBack. */
  rollBack(failure: LoadFailure): boolean {
    if (this.#stage !== 'loading' || !this.#options.configs.rollBack()) return false;
    this.#update({ failure });
    return true;
  }

  /** The deployment shuts down: no replacement from now on. */
  stop(): void {
    clearTimeout(this.#drainTimer);
    this.#stage = 'stopping';
  }

  #begin(candidate: EngineConfig | undefined, changes: readonly string[]): void {
    this.#candidate = candidate;
    this.#stage = 'draining';
    this.#drainTimer = setTimeout(() => this.#replace(), this.#options.drainTimeoutMs);
    this.#update({ state: 'draining', changes, failure: null });
  }

  #replace(): void {
    clearTimeout(this.#drainTimer);
    this.#stage = 'loading';
    if (this.#candidate) this.#options.configs.setCandidate(this.#candidate);
    this.#candidate = undefined;
    this.#update({ state: 'loading' });
    this.#options.replaceEngine();
  }

  #update(change: Partial<ReplacementReport>): void {
    const before = this.#report ?? { state: 'draining', changes: [], failure: null };
    this.#report = { ...before, ...change, since: new Date().toISOString() };
    this.#options.onChange(this.#report);
  }
}
