import type { Registry } from 'prom-client';
import type { RecentTokenCost } from '../gpu/recent-token-cost.ts';
import type { TokenCost } from '../gpu/token-cost.ts';
import type { MetricSample } from './catalogue.ts';
import { tokenCost } from './catalogue.ts';
import { registerSamples } from './register.ts';

/** Shows what a token takes at present: of all work, and of each key where only those look who may see single keys. */
export function registerTokenCostMetrics(
  registry: Registry,
  keyRegistry: Registry,
  recent: RecentTokenCost,
): void {
  registerSamples(registry, tokenCost.energy, () => energyOf(recent.overall));
  registerSamples(registry, tokenCost.cost, () => costOf(recent.overall));
  registerSamples(keyRegistry, tokenCost.keyEnergy, () => ofKeys(recent, energyOf));
  registerSamples(keyRegistry, tokenCost.keyCost, () => ofKeys(recent, costOf));
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
