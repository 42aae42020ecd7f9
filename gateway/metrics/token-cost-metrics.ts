import type { Registry } from 'prom-client';
import type { RecentTokenCost } from '../gpu/recent-token-cost.ts';
import type { TokenCost } from '../gpu/token-cost.ts';
import { price } from './catalogue.ts';
import type { MetricSample } from './metric-definition.ts';
import { registerSamples } from './register.ts';

/** Shows what a token takes at present: of all work, and of each key where only those look who may see single keys. */
export function registerTokenCostMetrics(
  registry: Registry,
  keyRegistry: Registry,
  recent: RecentTokenCost,
): void {
  registerSamples(registry, price.energy, () => energyOf(recent.overall));
  registerSamples(registry, price.cost, () => costOf(recent.overall));
  registerSamples(keyRegistry, price.energyOfKey, () => ofKeys(recent, energyOf));
  registerSamples(keyRegistry, price.costOfKey, () => ofKeys(recent, costOf));
}

function energyOf({ joulesPerOutputToken, joulesPerToken }: TokenCost): MetricSample<'tokens'>[] {
  return known({ output: joulesPerOutputToken, processed: joulesPerToken });
}

function costOf({ costPerMillionOutputTokens, costPerMillionTokens }: TokenCost): MetricSample<'tokens'>[] {
  return known({ output: costPerMillionOutputTokens, processed: costPerMillionTokens });
}

function known(figures: Readonly<Record<string, number | undefined>>): MetricSample<'tokens'>[] {
  return Object.entries(figures).flatMap(([tokens, value]) =>
    value === undefined ? [] : [[{ tokens }, value] as const],
  );
}

function ofKeys(recent: RecentTokenCost, figuresOf: (price: TokenCost) => MetricSample<'tokens'>[]) {
  return [...recent.byKey].flatMap(([key, price]) =>
    figuresOf(price).map(([labels, value]): MetricSample<'key' | 'tokens'> => [{ key, ...labels }, value]),
  );
}
