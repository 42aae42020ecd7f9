import { describe, expect, it } from 'vitest';
import type { Key, TemporaryLimits } from './key.ts';
import { KeyRing } from './key-ring.ts';
import { createKey } from './secret.ts';
import { addTemporaryLimits, endTemporaryLimits, keyAt, limitsAt, phasesOf } from './temporary-limits.ts';

const now = Date.UTC(2027, 0, 1);
const HOUR = 3_600_000;

const keyWith = (...temporaryLimits: readonly TemporaryLimits[]): Key => ({
  ...createKey('app', { limits: { tokensPerDay: 100, concurrent: 2 } }, now).key,
  temporaryLimits,
});
const perDay = (tokensPerDay: number, until: number): TemporaryLimits => ({
  limits: { tokensPerDay },
  until,
});

describe('temporary limits', () => {
  it('replace what they name until their end, which is exact', () => {
    const key = keyWith(perDay(500, now + HOUR));
    expect(limitsAt(key, now + HOUR - 1)).toEqual({ tokensPerDay: 500, concurrent: 2 });
    expect(limitsAt(key, now + HOUR)).toEqual({ tokensPerDay: 100, concurrent: 2 });
  });

  it('may be lower than the limits, and unlimited', () => {
    expect(limitsAt(keyWith(perDay(1, now + 1), perDay(0, now + 1)), now)).toMatchObject({ tokensPerDay: 0 });
    expect(limitsAt(keyWith(perDay(1, now + 1)), now)).toMatchObject({ tokensPerDay: 1 });
  });

  it('cost a key without them nothing', () => {
    const { key } = createKey('app', {}, now);
    expect([keyAt(key, now), limitsAt(key, now), phasesOf(key)]).toEqual([key, key.limits, []]);
    expect(keyAt(key, now)).toBe(key);
  });

  it('that were set last count, and give way to earlier ones that end later', () => {
    const set = [perDay(200, now + 5 * HOUR), perDay(500, now + 2 * HOUR)];
    const key = set.reduce((so, one) => addTemporaryLimits(so, one, now), keyWith());
    const at = (hours: number) => limitsAt(key, now + hours * HOUR).tokensPerDay;
    expect([0, 1.9, 2, 4.9, 5].map(at)).toEqual([500, 500, 200, 200, 100]);
    expect(phasesOf(key).map((phase) => [phase.until - now, phase.key.limits.tokensPerDay])).toEqual([
      [2 * HOUR, 500],
      [5 * HOUR, 200],
    ]);
  });

  it('that can never apply again are removed, and only those', () => {
    const both = { limits: { tokensPerDay: 200, concurrent: 9 }, until: now + HOUR };
    const key = addTemporaryLimits(
      keyWith(perDay(7, now), perDay(8, now + HOUR), both),
      perDay(500, now + HOUR),
      now,
    );
    expect(key.temporaryLimits).toEqual([
      { limits: { concurrent: 9 }, until: now + HOUR },
      perDay(500, now + HOUR),
    ]);
    expect(endTemporaryLimits(key)).not.toHaveProperty('temporaryLimits');
  });

  it('of each user are apart from those of the key', () => {
    const ofUsers = { limits: {}, userLimits: { tokensPerDay: 7 }, until: now + HOUR };
    const key = { ...keyWith(ofUsers), userLimits: { tokensPerDay: 5, concurrent: 1 } };
    expect(limitsAt(key, now)).toEqual({ tokensPerDay: 100, concurrent: 2 });
    expect(keyAt(key, now)).toMatchObject({
      limits: { tokensPerDay: 100 },
      userLimits: { tokensPerDay: 7, concurrent: 1 },
    });
    expect(keyAt(key, now + HOUR).userLimits).toEqual({ tokensPerDay: 5, concurrent: 1 });
    const raised = addTemporaryLimits(key, perDay(500, now + HOUR), now);
    expect(raised.temporaryLimits).toEqual([ofUsers, perDay(500, now + HOUR)]);
  });

  it('agree with the ring at every moment, whatever the clock does', () => {
    const { key, secret } = createKey('app', { limits: { tokensPerDay: 100 } }, now);
    const temporaryLimits = [
      perDay(3, now + 30),
      perDay(1, now + 10),
      { limits: { concurrent: 4 }, until: now + 20 },
    ];
    const all = { ...key, temporaryLimits };
    const ring = new KeyRing([all]);
    for (const moment of [0, 9, 10, 19, 20, 29, 30, 31, 5, 15].map((ms) => now + ms)) {
      const login = ring.authenticate(secret, moment);
      const limits = limitsAt(all, moment);
      expect(login).toMatchObject({ outcome: 'accepted', key: { id: 'app' } });
      expect(login.outcome === 'accepted' && login.key.limits).toEqual(limits);
      expect(ring.validKey('app', moment)?.limits).toEqual(limits);
    }
    expect(ring.keys).toEqual([all]);
  });
});
