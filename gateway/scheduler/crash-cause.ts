/** The bodies that were at work at one death of the engine: by their digests, how far each had got on since it was last sent, in tokens. */
export type EngineCrash = ReadonlyMap<string, number>;

/**
 * Whoever has said this much since it was last sent is no more likely to be the cause than anybody else: what an engine
 * dies of, it dies of when it reads the request, at its first token, or wherever it died of it before.
 */
export const MADE_PROGRESS = 16;

export interface CrashCauseLimits {
  /** A body that was at work at this many deaths, at the last of them as the one that can have been the cause, is it. */
  readonly convicting: number;
  /** So is one that was at work at more than this many, and at more than any other. */
  readonly most: number;
}

/** From MAX_REPLAYS: whoever allows more than usual wants a request to be tried again even then. */
export function crashCauseLimits(maxReplays: number): CrashCauseLimits {
  return { convicting: Math.max(2, maxReplays - 1), most: Math.max(2, maxReplays) };
}

/**
 * Whether a body is what the engine died of. `deaths` tells for each digest how often it was at work at a death, this one
 * included. Where another can as well have been the cause, nobody is, until one has been there more often than all others.
 */
export function isCrashCause(
  digest: string,
  death: EngineCrash,
  deaths: (digest: string) => number,
  { convicting, most }: CrashCauseLimits,
): boolean {
  const own = deaths(digest);
  const others = [...death.keys()].filter((other) => other !== digest);
  if (hasGotOn(death, digest) && others.some((other) => !hasGotOn(death, other))) return false;
  if (own > most) return others.every((other) => deaths(other) < own);
  return own >= convicting && !others.some((other) => mayBeInstead(digest, other, death));
}

const hasGotOn = (death: EngineCrash, digest: string) => (death.get(digest) ?? 0) >= MADE_PROGRESS;

/** Whether the other one can as well have been the cause: of two the one that has said less is the likelier. */
function mayBeInstead(digest: string, other: string, death: EngineCrash): boolean {
  if (hasGotOn(death, digest)) return true;
  if (hasGotOn(death, other)) return false;
  return (death.get(digest) ?? 0) > 0 || (death.get(other) ?? 0) === 0;
}
