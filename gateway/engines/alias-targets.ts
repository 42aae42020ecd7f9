import { createHash } from 'node:crypto';
import type { Log } from '../../log/create-log.ts';
import type { Alias } from '../../models/registry.ts';
import { BoundedMap } from '../bounded-map.ts';
import type { AliasEntry, AliasTargetEntry } from './model-directory.ts';

/** What decides whether a model stays a target. */
export interface TargetHealth {
  readonly hasFailed: boolean;
  /** How often its engines have crashed, each since it exists. */
  readonly crashes: number;
}

/** At this many crashes a canary gets no more requests. */
const MAX_CRASHES = 2;
/** The most conversations that are remembered. */
const MAX_CONVERSATIONS = 10_000;

/**
 * The targets of one alias. A conversation stays with its target. A target with a smaller weight than another is a canary: if
 * it fails, or crashes twice, it gets no more requests until the alias is changed.
 */
export class AliasTargets implements AliasEntry {
  readonly alias: Alias;
  readonly #log: Log;
  readonly #getHealth: (model: string) => TargetHealth;
  #crashesBefore: ReadonlyMap<string, number>;
  readonly #suspended = new Map<string, AliasTargetEntry['suspended']>();
  readonly #conversations: Map<string, string>;

  /** `before`: the same alias with other targets, whose conversations go on. */
  constructor(
    alias: Alias,
    getHealth: (model: string) => TargetHealth,
    log: Log,
    before: AliasTargets | undefined,
  ) {
    this.alias = alias;
    this.#getHealth = getHealth;
    this.#log = log;
    this.#conversations = before === undefined ? new BoundedMap(MAX_CONVERSATIONS) : before.#conversations;
    this.#crashesBefore = this.#countCrashes();
  }

  get name(): string {
    return this.alias.name;
  }

  get targets(): readonly AliasTargetEntry[] {
    return this.alias.targets.map(({ model, weight }) => {
      const suspended = this.#suspended.get(model);
      return { model, weight, effectiveWeight: suspended === undefined ? weight : 0, suspended };
    });
  }

  /**
   * The target of a conversation, out of those for which `isAllowed` is true; undefined if there is none. A new one goes where
   * it would have gone in any other process. While its target has failed, it goes to another one that has not.
   */
  choose(conversation: string, isAllowed: (model: string) => boolean): string | undefined {
    const allowed = this.targets.filter(
      ({ model, effectiveWeight }) => effectiveWeight > 0 && isAllowed(model),
    );
    const before = this.#conversations.get(conversation);
    const model = allowed.some((target) => target.model === before)
      ? before
      : pickByWeight(allowed, conversation);
    if (model === undefined) return undefined;
    this.#conversations.set(conversation, model);
    if (!this.#getHealth(model).hasFailed) return model;
    const healthy = allowed.filter((target) => !this.#getHealth(target.model).hasFailed);
    return pickByWeight(healthy, conversation) ?? model;
  }

  /** To be called when the health of a model may have changed. */
  checkHealth(): void {
    const largest = Math.max(...this.alias.targets.map(({ weight }) => weight));
    for (const { model, weight } of this.alias.targets) {
      if (weight === 0 || weight === largest || this.#suspended.has(model)) continue;
      const { hasFailed, crashes } = this.#getHealth(model);
      const hasCrashed = crashes - (this.#crashesBefore.get(model) ?? 0) >= MAX_CRASHES;
      if (hasFailed || hasCrashed) this.#suspend(model, hasFailed ? 'failed' : 'crashed');
    }
  }

  /** All canaries get requests again, as after a change of the alias. */
  retry(): void {
    this.#suspended.clear();
    this.#crashesBefore = this.#countCrashes();
    this.checkHealth();
  }

  #countCrashes(): ReadonlyMap<string, number> {
    return new Map(this.alias.targets.map(({ model }) => [model, this.#getHealth(model).crashes]));
  }

  #suspend(model: string, reason: 'failed' | 'crashed'): void {
    this.#suspended.set(model, reason);
    const why = reason === 'failed' ? 'it has failed' : `it crashed ${MAX_CRASHES} times`;
    this.#log.warn(
      { alias: this.name, model, reason },
      `alias ${this.name}: the canary ${model} gets no more requests because ${why}; PUT /admin/aliases/${this.name} tries it again`,
    );
  }
}

/**
 * Weighted rendezvous hashing: each target has a score for the conversation, which depends on no other target. So a change of
 * weights moves conversations only to a target that gained, or away from one that lost.
 */
function pickByWeight(targets: readonly AliasTargetEntry[], conversation: string): string | undefined {
  let [best, highest]: [string | undefined, number] = [undefined, -1];
  for (const { model, effectiveWeight } of targets) {
    const score = -effectiveWeight / Math.log(hashToUnit(conversation, model));
    if (score > highest) [best, highest] = [model, score];
  }
  return best;
}

const HASH_BYTES = 6;

/** Spread evenly between 0 and 1, without either. */
function hashToUnit(conversation: string, model: string): number {
  const digest = createHash('sha256').update(`${conversation}\n${model}`).digest();
  return (digest.readUIntBE(0, HASH_BYTES) + 0.5) / 2 ** (8 * HASH_BYTES);
}
