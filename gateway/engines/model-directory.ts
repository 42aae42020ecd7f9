import type { ModelState } from '../../health/supervisor-messages.ts';
import type { AliasTarget, ModelRecord } from '../../models/registry.ts';
import type { EngineServices } from './engine-services.ts';

/** The models and aliases of `models.json`, as they are served now. */
export interface ModelDirectory {
  readonly models: readonly ModelEntry[];
  readonly aliases: readonly AliasEntry[];
}

/** Brings back the canaries of an alias. */
export interface CanaryRetry {
  /** The alias has been set to these targets. If it had them before, its canaries are tried again. */
  retryCanaries(name: string, targets: readonly AliasTarget[]): void;
}

export interface ModelEntry {
  readonly record: ModelRecord;
  readonly state: ModelState;
  /** Its engines, whether they are loaded or not. */
  readonly engines: readonly EngineServices[];
}

export interface AliasEntry {
  readonly name: string;
  readonly targets: readonly AliasTargetEntry[];
}

export interface AliasTargetEntry {
  readonly model: string;
  /** As in `models.json`. */
  readonly weight: number;
  /** Its share now: 0 for a canary that was taken out. */
  readonly effectiveWeight: number;
  /** Why it was taken out; undefined if it was not. */
  readonly suspended: 'failed' | 'crashed' | undefined;
}
