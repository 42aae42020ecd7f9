import { isDeepStrictEqual } from 'node:util';
import type { AliasState } from '../../health/supervisor-messages.ts';
import type { Log } from '../../log/create-log.ts';
import type { Alias, AliasTarget } from '../../models/registry.ts';
import { AliasTargets, type TargetHealth } from './alias-targets.ts';
import { viewAlias } from './model-views.ts';

export interface AliasSetOptions {
  readonly getHealth: (target: string) => TargetHealth;
  /** Called with all aliases when one has changed. */
  readonly onChange: (aliases: readonly AliasState[]) => void;
  readonly log: Log;
}

/** The aliases of `models.json`, with the state of their targets. */
export class AliasSet {
  readonly #options: AliasSetOptions;
  #byName: ReadonlyMap<string, AliasTargets> = new Map();
  #reported: readonly AliasState[] = [];

  constructor(options: AliasSetOptions) {
    this.#options = options;
  }

  get all(): readonly AliasTargets[] {
    return [...this.#byName.values()];
  }

  find(name: string): AliasTargets | undefined {
    return this.#byName.get(name);
  }

  /** Aliases whose targets are the same keep their state. */
  update(aliases: readonly Alias[]): void {
    const { getHealth, log } = this.#options;
    const create = (alias: Alias) => {
      const before = this.#byName.get(alias.name);
      const isSame = isDeepStrictEqual(before?.alias.targets, alias.targets);
      return before && isSame ? before : new AliasTargets(alias, getHealth, log, before);
    };
    this.#byName = new Map(aliases.map((alias) => [alias.name, create(alias)]));
  }

  /** Lets canaries of the alias that were taken out get requests again, if its targets are still these. */
  retry(name: string, targets: readonly AliasTarget[]): void {
    const alias = this.#byName.get(name);
    if (!isDeepStrictEqual(alias?.alias.targets, targets)) return;
    alias?.retry();
    this.checkHealth();
  }

  /** To be called when the health of a model may have changed. */
  checkHealth(): void {
    for (const alias of this.#byName.values()) alias.checkHealth();
    const aliases = this.all.map(viewAlias);
    if (isDeepStrictEqual(aliases, this.#reported)) return;
    this.#reported = aliases;
    this.#options.onChange(aliases);
  }
}
