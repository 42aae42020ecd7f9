import { describe, expect, it } from 'vitest';
import { tokenCostBetween, tokenCostBy, type WorkOfOne, type WorkTally } from './token-cost.ts';

const begin: WorkTally = { at: 0, joules: 1000, output: 0, processed: 0, keys: new Map(), models: new Map() };

const work = (machineMs: number, output: number, processed = output): WorkOfOne => ({
  machineMs,
  output,
  processed,
});

/** A minute later, at 300 W. */
function minuteLater(keys: Record<string, WorkOfOne>): WorkTally {
  const all = Object.values(keys);
  return {
    at: 60_000,
    joules: 1000 + 300 * 60,
    output: all.reduce((sum, { output }) => sum + output, 0),
    processed: all.reduce((sum, { processed }) => sum + processed, 0),
    keys: new Map(Object.entries(keys)),
    models: new Map(),
  };
}

describe('the cost of a token', () => {
  it('is everything spent divided by all tokens', () => {
    const cost = tokenCostBetween(begin, minuteLater({ app: work(60_000, 6000, 18_000) }), 3);
    expect(cost).toEqual({
      joulesPerOutputToken: 3,
      joulesPerToken: 1,
      costPerMillionOutputTokens: (0.05 / 6000) * 1e6,
      costPerMillionTokens: (0.05 / 18_000) * 1e6,
    });
  });

  it('includes idle time: half the work doubles the cost', () => {
    const busy = tokenCostBetween(begin, minuteLater({ app: work(60_000, 6000) }), 3);
    const idle = tokenCostBetween(begin, minuteLater({ app: work(30_000, 3000) }), 3);
    expect(idle.joulesPerOutputToken).toBe(2 * (busy.joulesPerOutputToken ?? 0));
    expect(idle.costPerMillionTokens).toBe(2 * (busy.costPerMillionTokens ?? 0));
  });

  it('is undefined if there were no tokens', () => {
    const cost = tokenCostBetween(begin, minuteLater({}), 3);
    expect(new Set(Object.values(cost))).toEqual(new Set([undefined]));
  });

  it('is undefined in money without COST_PER_HOUR and in energy without power readings', () => {
    const later = minuteLater({ app: work(1000, 10) });
    expect(tokenCostBetween(begin, later, undefined)).toMatchObject({
      costPerMillionTokens: undefined,
      joulesPerToken: 1800,
    });
    const withoutPower = { ...later, joules: undefined };
    expect(tokenCostBetween({ ...begin, joules: undefined }, withoutPower, 3).joulesPerToken).toBeUndefined();
  });

  it('counts energy from zero if power readings started in between', () => {
    const later = minuteLater({ app: work(1000, 10) });
    expect(tokenCostBetween({ ...begin, joules: undefined }, later, 3).joulesPerToken).toBe(1900);
  });
});

describe('the token costs by key', () => {
  it('divide the spending in proportion to machine time', () => {
    const costs = tokenCostBy(
      'keys',
      begin,
      minuteLater({ app: work(30_000, 3000), batch: work(10_000, 3000), idle: work(0, 0) }),
      3,
    );
    expect([...costs.keys()]).toEqual(['app', 'batch']);
    expect(costs.get('app')?.joulesPerOutputToken).toBeCloseTo((18_000 * 0.75) / 3000);
    expect(costs.get('batch')?.joulesPerOutputToken).toBeCloseTo((18_000 * 0.25) / 3000);
  });

  it('add up to the whole spending', () => {
    const keys = { a: work(1234, 17, 170), b: work(777, 300, 900), c: work(5, 1, 1) };
    const costs = tokenCostBy('keys', begin, minuteLater(keys), 3);
    const paid = Object.entries(keys).map(
      ([id, { processed }]) => ((costs.get(id)?.costPerMillionTokens ?? 0) * processed) / 1e6,
    );
    expect(paid.reduce((sum, money) => sum + money)).toBeCloseTo(0.05, 10);
  });

  it('count only the work of the interval', () => {
    const from = { ...begin, keys: new Map([['app', work(10_000, 500)]]), output: 500, processed: 500 };
    const to = minuteLater({ app: work(20_000, 1500) });
    expect(tokenCostBy('keys', from, to, undefined).get('app')?.joulesPerOutputToken).toBe(18);
  });
});

it('the token costs by model divide the spending in the same way', () => {
  const models = new Map(Object.entries({ chat: work(45_000, 3000), embeddings: work(15_000, 0, 6000) }));
  const costs = tokenCostBy('models', begin, { ...minuteLater({}), models }, 3);
  expect(costs.get('chat')?.joulesPerOutputToken).toBeCloseTo((18_000 * 0.75) / 3000);
  expect(costs.get('embeddings')).toMatchObject({
    joulesPerOutputToken: undefined,
    joulesPerToken: (18_000 * 0.25) / 6000,
    costPerMillionTokens: ((0.05 * 0.25) / 6000) * 1e6,
  });
});
