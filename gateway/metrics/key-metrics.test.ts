import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import type { Key } from '../../keys/key.ts';
import { KeyRing } from '../../keys/key-ring.ts';
import { createKey, type NewKeyOptions } from '../../keys/secret.ts';
import { readMetrics } from '../../test/harness/read-metrics.ts';
import { noUsage } from '../api/usage.ts';
import { registerBudgetMetrics } from './key-metrics.ts';

const keyOf = (id: string, tokensPerDay: number, options: NewKeyOptions = {}): Key =>
  createKey(id, { limits: { tokensPerDay }, ...options }, Date.now()).key;

/** Each key has used 30 tokens of input and 20 of output today. */
async function shown(keys: readonly Key[], maxKeys = 10) {
  const registry = new Registry();
  const today = () => ({ ...noUsage, input: 30, output: 20 });
  registerBudgetMetrics(registry, { keys: { ring: new KeyRing(keys) }, ledger: { today }, maxKeys });
  const page = readMetrics(await registry.metrics());
  return page
    .labelValues('corral_key_budget_used_ratio', 'key')
    .map((key) => [key, page.value('corral_key_budget_used_ratio', { key })]);
}

it('reports the fraction of the daily budget used by each key', async () => {
  expect(await shown([keyOf('half', 100), keyOf('beyond', 40)])).toEqual([
    ['half', 0.5],
    ['beyond', 1.25],
  ]);
});

it('omits keys without a budget and inactive keys', async () => {
  const keys = [keyOf('free', 0), keyOf('off', 100, { disabled: true }), keyOf('past', 100, { expires: 1 })];
  expect(await shown(keys)).toEqual([]);
});

it('reports the highest fraction among the keys beyond the limit', async () => {
  expect(await shown([keyOf('first', 1000), keyOf('far', 500), keyOf('near', 50)], 1)).toEqual([
    ['first', 0.05],
    ['other', 1],
  ]);
});
