import type { Key, KeyLimits, TemporaryLimits } from './key.ts';

/** The limits of the key, or of each of its users, at `now`. Of temporary ones for the same thing the last in the list applies. */
export function limitsAt(key: Key, now: number, of: 'limits' | 'userLimits' = 'limits'): KeyLimits {
  const running = temporaryLimitsAt(key, now);
  return running.length === 0 ? key[of] : Object.assign({}, key[of], ...running.map((one) => one[of]));
}

/** The temporary limits that have not ended at `now`. */
export function temporaryLimitsAt({ temporaryLimits = [] }: Key, now: number): readonly TemporaryLimits[] {
  return temporaryLimits.filter(({ until }) => now < until);
}

/** The key with the limits that it has at `now`. */
export function keyAt(key: Key, now: number): Key {
  if (key.temporaryLimits === undefined) return key;
  return { ...key, limits: limitsAt(key, now), userLimits: limitsAt(key, now, 'userLimits') };
}

/** A time in which the limits of a key do not change. */
export interface Phase {
  /** The first moment after it. */
  readonly until: number;
  readonly key: Key;
}

/** The phases until the last temporary limit ends, in their order. */
export function phasesOf(key: Key): readonly Phase[] {
  const ends = [...new Set(key.temporaryLimits?.map(({ until }) => until))].sort((a, b) => a - b);
  return ends.map((until, index) => ({ until, key: keyAt(key, ends[index - 1] ?? -Infinity) }));
}

/**
 * Adds temporary limits. One that was added earlier and ends later applies again when they end; one that ends before
 * them never would, and is removed.
 */
export function addTemporaryLimits(key: Key, added: TemporaryLimits, now: number): Key {
  const earlier = temporaryLimitsAt(key, now)
    .map((one) => (one.until > added.until ? one : without(one, added)))
    .filter(({ limits, userLimits = {} }) => Object.keys({ ...limits, ...userLimits }).length > 0);
  return { ...key, temporaryLimits: [...earlier, added] };
}

/** The key with its own limits only. */
export function endTemporaryLimits({ temporaryLimits: _, ...key }: Key): Key {
  return key;
}

function without(one: TemporaryLimits, { limits, userLimits }: TemporaryLimits): TemporaryLimits {
  return {
    ...one,
    limits: omit(one.limits, limits),
    ...(one.userLimits && { userLimits: omit(one.userLimits, userLimits) }),
  };
}

function omit(limits: KeyLimits, names: KeyLimits = {}): KeyLimits {
  return Object.fromEntries(Object.entries(limits).filter(([name]) => !Object.hasOwn(names, name)));
}
