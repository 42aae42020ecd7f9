import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { AliasTargets, type TargetHealth } from './alias-targets.ts';

const log = pino({ level: 'silent' });
const everyone = () => true;
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
    const chosen = Array.from({ length: 1000 }, (_, n) => alias.choose(`c${n}`, n / 1000, everyone));
    expect(chosen.filter((model) => model === 'canary')).toHaveLength(100);
  });

  it('keep their conversations when the weights change, as long as they are targets', () => {
    const before = createAlias(50, 50);
    expect(before.choose('c', 0.6, everyone)).toBe('canary');
    expect(createAlias(90, 10, before).choose('c', 0.6, everyone)).toBe('canary');
    expect(createAlias(1, 0, before).choose('c', 0.6, everyone)).toBe('stable');
  });

  it('are only those that the key may use', () => {
    const alias = createAlias(90, 10);
    expect(alias.choose('c', 0, (model) => model === 'canary')).toBe('canary');
    expect(alias.choose('c', 0, () => false)).toBeUndefined();
  });
});

describe('a canary', () => {
  const weights = (alias: AliasTargets) => alias.targets.map(({ effectiveWeight }) => effectiveWeight);

  it('gets nothing more after two crashes, and its conversations go on elsewhere', () => {
    const alias = createAlias(90, 10);
    expect(alias.choose('c', 0.95, everyone)).toBe('canary');
    health.canary = { hasFailed: false, crashes: 6 };
    alias.checkHealth();
    expect(weights(alias)).toEqual([90, 10]);
    health.canary = { hasFailed: false, crashes: 7 };
    alias.checkHealth();
    expect(weights(alias)).toEqual([90, 0]);
    expect(alias.choose('c', 0.95, everyone)).toBe('stable');
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
});
