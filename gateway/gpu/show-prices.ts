import type { Registry } from 'prom-client';
import { price } from '../metrics/catalogue.ts';
import type { Figure } from '../metrics/family.ts';
import { showFigures } from '../metrics/show.ts';
import type { Price } from './efficiency.ts';
import type { RecentWork } from './recent-work.ts';

/** Shows what a token takes at present: of all work, and of each key where only those look who may see single keys. */
export function showPrices(registry: Registry, keyRegistry: Registry, recent: RecentWork): void {
  showFigures(registry, price.energy, () => energyOf(recent.price));
  showFigures(registry, price.cost, () => costOf(recent.price));
  showFigures(keyRegistry, price.energyOfKey, () => ofKeys(recent, energyOf));
  showFigures(keyRegistry, price.costOfKey, () => ofKeys(recent, costOf));
}

function energyOf({ joulesPerOutputToken, joulesPerToken }: Price): Figure<'tokens'>[] {
  return known({ output: joulesPerOutputToken, processed: joulesPerToken });
}

function costOf({ costPerMillionOutputTokens, costPerMillionTokens }: Price): Figure<'tokens'>[] {
  return known({ output: costPerMillionOutputTokens, processed: costPerMillionTokens });
}

function known(figures: Readonly<Record<string, number | undefined>>): Figure<'tokens'>[] {
  return Object.entries(figures).flatMap(([tokens, value]) =>
    value === undefined ? [] : [[{ tokens }, value] as const],
  );
}

function ofKeys(recent: RecentWork, figuresOf: (price: Price) => Figure<'tokens'>[]) {
  return [...recent.pricesOfKeys].flatMap(([key, price]) =>
    figuresOf(price).map(([labels, value]): Figure<'key' | 'tokens'> => [{ key, ...labels }, value]),
  );
}
