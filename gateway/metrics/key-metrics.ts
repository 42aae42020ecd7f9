import type { Registry } from 'prom-client';
import type { Key } from '../../keys/key.ts';
import { getKeyStatus } from '../../keys/key-status.ts';
import type { KeyStore } from '../../keys/key-store.ts';
import { limitsAt } from '../../keys/temporary-limits.ts';
import { HOUR } from '../../settings/durations.ts';
import { addUsage, noUsage, type UsageSums } from '../api/usage.ts';
import { type MetricDefinition, type MetricSample, perKey } from './catalogue.ts';
import { BoundedLabel } from './counting.ts';
import { registerSamples } from './register.ts';

interface KeySums {
  readonly labels: { readonly key: string };
  readonly sums: UsageSums;
}

/** The usage of each key since the gateway started. */
export class KeyTraffic {
  readonly #sums = new Map<string, KeySums>();
  readonly #labels: BoundedLabel;

  /** The first `maxKeys` keys have their own sums; the others are counted together. */
  constructor(maxKeys: number) {
    this.#labels = new BoundedLabel(maxKeys);
  }

  get all(): Iterable<KeySums> {
    return this.#sums.values();
  }

  add(keyId: string, usage: Readonly<UsageSums>): void {
    const key = this.#labels.limit(keyId);
    const known = this.#sums.get(key);
    if (known) addUsage(known.sums, usage);
    else this.#sums.set(key, { labels: { key }, sums: { ...noUsage, ...usage } });
  }
}

export function registerKeyTrafficMetrics(
  registry: Registry,
  keys: KeyTraffic,
  costPerHour: number | undefined,
): void {
  const register = (metric: MetricDefinition<'key'>, pick: (sums: UsageSums) => number) =>
    registerSamples(registry, metric, () =>
      [...keys.all].map(({ labels, sums }) => [labels, pick(sums)] as const),
    );
  register(perKey.requests, (sums) => sums.requests);
  register(perKey.errors, (sums) => sums.errors);
  register(perKey.input, (sums) => sums.input);
  register(perKey.cached, (sums) => sums.cached);
  register(perKey.output, (sums) => sums.output);
  register(perKey.machine, (sums) => sums.machineMs / 1000);
  if (costPerHour !== undefined) register(perKey.cost, (sums) => (sums.machineMs / HOUR) * costPerHour);
}

export interface BudgetSources {
  /** Undefined if authentication is off. */
  readonly keys: Pick<KeyStore, 'ring'> | undefined;
  readonly ledger: {
    /** The usage of a key since midnight UTC. */
    today(keyId: string, now: number): Readonly<UsageSums>;
  };
  readonly maxKeys: number;
}

/** The fraction of its daily tokens that each key has used; for the keys beyond `maxKeys`, the highest fraction. */
export function registerBudgetMetrics(registry: Registry, { keys, ledger, maxKeys }: BudgetSources): void {
  const labels = new BoundedLabel(maxKeys);
  registerSamples(registry, perKey.budgetUsed, () => {
    const now = Date.now();
    const highest = new Map<string, number>();
    for (const key of keys?.ring.keys ?? []) {
      const used = getBudgetUsed(key, ledger, now);
      if (used === undefined) continue;
      const label = labels.limit(key.id);
      highest.set(label, Math.max(used, highest.get(label) ?? 0));
    }
    return [...highest].map(([key, used]): MetricSample<'key'> => [{ key }, used]);
  });
}

/** Undefined for an inactive key or one without a budget. */
function getBudgetUsed(key: Key, ledger: BudgetSources['ledger'], now: number): number | undefined {
  const budget = limitsAt(key, now).tokensPerDay ?? 0;
  if (budget === 0 || getKeyStatus(key, now).state !== 'active') return undefined;
  const { input, output } = ledger.today(key.id, now);
  return (input + output) / budget;
}
