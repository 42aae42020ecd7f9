import type { Registry } from 'prom-client';
import type { Key } from '../../keys/key.ts';
import { getKeyStatus } from '../../keys/key-status.ts';
import type { KeyStore } from '../../keys/key-store.ts';
import type { UsageLedger } from '../usage/usage-ledger.ts';
import { BoundedLabel } from './bounded-label.ts';
import type { MetricSample } from './catalogue.ts';
import { perKey } from './catalogue.ts';
import { registerSamples } from './register.ts';

export interface BudgetSources {
  /** Undefined where authentication is off. */
  readonly keys: Pick<KeyStore, 'ring'> | undefined;
  readonly ledger: Pick<UsageLedger, 'today'>;
  readonly mostKeys: number;
}

/** Shows how much of its daily tokens each key has used; of those beyond `mostKeys` the one that has used most of its own. */
export function registerBudgetMetrics(registry: Registry, { keys, ledger, mostKeys }: BudgetSources): void {
  const labels = new BoundedLabel(mostKeys);
  registerSamples(registry, perKey.budgetUsed, () => {
    const now = Date.now();
    const highest = new Map<string, number>();
    for (const key of keys?.ring.keys ?? []) {
      const used = budgetUsed(key, ledger, now);
      if (used === undefined) continue;
      const label = labels.of(key.id);
      highest.set(label, Math.max(used, highest.get(label) ?? 0));
    }
    return [...highest].map(([key, used]): MetricSample<'key'> => [{ key }, used]);
  });
}

function budgetUsed(key: Key, ledger: BudgetSources['ledger'], now: number): number | undefined {
  const budget = key.limits.tokensPerDay ?? 0;
  if (budget === 0 || getKeyStatus(key, now).state !== 'active') return undefined;
  const { input, output } = ledger.today(key.id, now);
  return (input + output) / budget;
}
