import fc from 'fast-check';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { AliasTargets, type TargetHealth } from './alias-targets.ts';

const log = pino({ level: 'silent' });
const everyone = () => true;
/** A conversation that goes to a canary with a tenth of them. */
const ofCanary = 'c10';
let health: Record<string, TargetHealth>;

beforeEach(() => {
  health = { stable: { hasFailed: false, crashes: 0 }, canary: { hasFailed: false, crashes: 5 } };
});

function createAlias(stable: number, canary: number, before?: AliasTargets) {
  const targets = [
    { model: 'stable', weight: stable },
    { model: 'canary', weight: canary },
  ];
  const getHealth = (model: string) => health[model] ?? { hasFailed: false, crashes: 0 };
  return new AliasTargets({ name: 'latest', targets, previous: null }, getHealth, log, before);
}

describe('the targets of an alias', () => {
  it('get conversations by their weights', () => {
    const alias = createAlias(90, 10);
    const chosen = Array.from({ length: 10_000 }, (_, n) => alias.choose(`c${n}`, everyone));
    const atCanary = chosen.filter((model) => model === 'canary').length;
    expect(atCanary).toBeGreaterThan(900);
    expect(atCanary).toBeLessThan(1100);
  });

  it('keep their conversations when the weights change, as long as they are targets', () => {
    const before = createAlias(50, 50);
    const all = Array.from({ length: 100 }, (_, n) => `c${n}`);
    const chosen = all.map((c) => before.choose(c, everyone));
    expect(new Set(chosen)).toEqual(new Set(['stable', 'canary']));
    const after = createAlias(90, 10, before);
    expect(all.map((c) => after.choose(c, everyone))).toEqual(chosen);
    const last = createAlias(1, 0, after);
    expect(new Set(all.map((c) => last.choose(c, everyone)))).toEqual(new Set(['stable']));
  });

  it('go to another one while theirs has failed, and come back', () => {
    const alias = createAlias(50, 50);
    const all = Array.from({ length: 100 }, (_, n) => `c${n}`);
    const chosen = all.map((c) => alias.choose(c, everyone));
    health.stable = { hasFailed: true, crashes: 0 };
    expect(new Set(all.map((c) => alias.choose(c, everyone)))).toEqual(new Set(['canary']));
    expect(alias.choose('c', (model) => model === 'stable')).toBe('stable');
    health.stable = { hasFailed: false, crashes: 0 };
    expect(all.map((c) => alias.choose(c, everyone))).toEqual(chosen);
  });

  it('are only those that the key may use', () => {
    const alias = createAlias(90, 10);
    expect(alias.choose('c', (model) => model === 'canary')).toBe('canary');
    expect(alias.choose('c', () => false)).toBeUndefined();
  });
});

it('a change of one weight moves new conversations only to or from that target', () => {
  const weights = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 2, maxLength: 5 });
  const choose = (targets: readonly { model: string; weight: number }[], conversation: string) =>
    new AliasTargets(
      { name: 'latest', targets, previous: null },
      () => ({ hasFailed: false, crashes: 0 }),
      log,
      undefined,
    ).choose(conversation, everyone);
  const property = fc.property(
    weights,
    fc.nat(100),
    fc.nat(),
    fc.string(),
    (all, weight, at, conversation) => {
      const targets = all.map((one, n) => ({ model: `m${n}`, weight: one }));
      const changed = `m${at % all.length}`;
      const after = targets.map((one) => (one.model === changed ? { ...one, weight } : one));
      const [from, to] = [choose(targets, conversation), choose(after, conversation)];
      if (from !== to) expect([from, to]).toContain(changed);
      // The order of the targets does not matter.
      expect(choose(targets.toReversed(), conversation)).toBe(from);
    },
  );
  fc.assert(property, { numRuns: 2000 });
});

describe('a canary', () => {
  const weights = (alias: AliasTargets) => alias.targets.map(({ effectiveWeight }) => effectiveWeight);

  it('gets nothing more after two crashes, and its conversations go on elsewhere', () => {
    const alias = createAlias(90, 10);
    expect(alias.choose(ofCanary, everyone)).toBe('canary');
    health.canary = { hasFailed: false, crashes: 6 };
    alias.checkHealth();
    expect(weights(alias)).toEqual([90, 10]);
    health.canary = { hasFailed: false, crashes: 7 };
    alias.checkHealth();
    expect(weights(alias)).toEqual([90, 0]);
    expect(alias.choose(ofCanary, everyone)).toBe('stable');
  });

  it('gets nothing more after it has failed, even if it is loaded again', () => {
    const alias = createAlias(90, 10);
    health.canary = { hasFailed: true, crashes: 5 };
    alias.checkHealth();
    health.canary = { hasFailed: false, crashes: 5 };
    alias.checkHealth();
    expect(alias.targets[1]).toEqual({
      ...{ model: 'canary', weight: 10, effectiveWeight: 0, suspended: 'failed' },
    });
  });

  it('is none that has the largest weight', () => {
    const alias = createAlias(10, 10);
    health.canary = { hasFailed: true, crashes: 9 };
    alias.checkHealth();
    expect(weights(alias)).toEqual([10, 10]);
  });

  it('gets requests again on request, unless it has failed, and may crash once more', () => {
    const alias = createAlias(90, 10);
    health.canary = { hasFailed: true, crashes: 7 };
    alias.checkHealth();
    alias.retry();
    expect(alias.targets[1]).toMatchObject({ effectiveWeight: 0, suspended: 'failed' });
    health.canary = { hasFailed: false, crashes: 7 };
    alias.retry();
    expect(weights(alias)).toEqual([90, 10]);
    health.canary = { hasFailed: false, crashes: 8 };
    alias.checkHealth();
    expect(weights(alias)).toEqual([90, 10]);
  });
});
