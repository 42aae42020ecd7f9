import type { RestartOutcome, SettingChanges } from '../health/supervisor-messages.ts';
import type { EnginePlan } from './engine-plan.ts';
import type { LoadFailure } from './engine-process.ts';
import type { RestartPlan } from './plan-restart.ts';

export interface ReplacementOptions {
  readonly plan: EnginePlan;
  readonly check: (changes: SettingChanges) => RestartPlan;
  /** How long what is at the engine may go on. */
  readonly drainTimeoutMs: number;
  /** Ends llama-server and starts it as now planned. */
  readonly replaceEngine: () => void;
  /** Called after each change of what others see. */
  readonly onChange: (report: ReplacementReport) => void;
}

/** What `/status` says of the last restart that was asked for. */
export interface ReplacementReport {
  /** draining: what is at the engine may finish · loading: the new one comes up · done · fell-back: as before again. */
  readonly state: 'draining' | 'loading' | 'done' | 'fell-back';
  /** The names of the variables that were to change. */
  readonly changes: readonly string[];
  readonly since: string;
  /** Why the changed one could not be loaded. */
  readonly failure: LoadFailure | null;
}

/** llama-server replaced on purpose: drained, ended, started anew, and brought back as it was where the new one fails. */
export class EngineReplacement {
  readonly #parts: ReplacementOptions;
  #stage: 'none' | 'draining' | 'loading' | 'stopping' = 'none';
  #report: ReplacementReport | undefined;
  #patience: NodeJS.Timeout | undefined;
  #planned: RestartPlan | undefined;

  constructor(parts: ReplacementOptions) {
    this.#parts = parts;
  }

  get report(): ReplacementReport | undefined {
    return this.#report;
  }

  get isUnderWay(): boolean {
    return this.#stage === 'draining' || this.#stage === 'loading';
  }

  /** Everything that can be wrong with the changes is found before anything happens. */
  ask(changes: SettingChanges): RestartOutcome {
    if (this.#stage === 'stopping') return { outcome: 'stopping' };
    if (this.#stage !== 'none') return { outcome: 'under-way' };
    const planned = this.#parts.check(changes);
    if (!planned.ok) return { outcome: 'refused', problems: planned.problems };
    const names = Object.keys(changes);
    this.#planned = names.length > 0 ? planned : undefined;
    this.#stage = 'draining';
    this.#patience = setTimeout(() => this.#replace(), this.#parts.drainTimeoutMs);
    this.#tell({ state: 'draining', changes: names, failure: null });
    return { outcome: 'accepted' };
  }

  /** The gateway has nothing at the engine any more. */
  held(): void {
    if (this.#stage === 'draining') this.#replace();
  }

  engineReady(): void {
    if (this.#stage !== 'loading') return;
    this.#stage = 'none';
    this.#parts.plan.keep();
    this.#tell({ state: this.#report?.failure ? 'fell-back' : 'done' });
  }

  /** As tend-engine.ts asks it. */
  takeBack(failure: LoadFailure): boolean {
    if (this.#stage !== 'loading' || !this.#parts.plan.takeBack()) return false;
    this.#tell({ failure });
    return true;
  }

  /** The house ends: nothing is replaced any more. */
  stop(): void {
    clearTimeout(this.#patience);
    this.#stage = 'stopping';
  }

  #replace(): void {
    clearTimeout(this.#patience);
    this.#stage = 'loading';
    if (this.#planned?.ok) this.#parts.plan.tryOut(this.#planned.config);
    this.#planned = undefined;
    this.#tell({ state: 'loading' });
    this.#parts.replaceEngine();
  }

  #tell(change: Partial<ReplacementReport>): void {
    const before = this.#report ?? { state: 'draining', changes: [], failure: null };
    this.#report = { ...before, ...change, since: new Date().toISOString() };
    this.#parts.onChange(this.#report);
  }
}
