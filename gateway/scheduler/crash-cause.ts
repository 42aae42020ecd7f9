import { createHash } from 'node:crypto';

/** The bodies that were at the engine when it crashed: by digest, the tokens of progress since each was last sent. */
export type EngineCrash = ReadonlyMap<string, number>;

/**
 * After this many tokens since it was last sent, a request is no more likely to be the cause than any other: an engine crashes
 * when it reads the request, at its first token, or where it crashed on it before.
 */
export const MADE_PROGRESS = 16;

export interface CrashCauseLimits {
  /** A body is the cause if it was there at this many crashes, and no other can have been the cause of the last one. */
  readonly minCrashes: number;
  /** Or if it was there at more crashes than this, and at more than any other, even if another can have been the cause. */
  readonly maxCrashes: number;
}

/** A higher MAX_REPLAYS than the default allows that many more crashes before a request is blocked. */
export function crashCauseLimits(maxReplays: number): CrashCauseLimits {
  return { minCrashes: Math.max(2, maxReplays - 1), maxCrashes: Math.max(2, maxReplays) };
}

/**
 * Whether the engine crashed on this body. `crashes` returns for a digest at how many crashes it was there, this one
 * included. If another body can have been the cause as well, none is, until one was there more often than all others.
 */
export function isCrashCause(
  digest: string,
  crash: EngineCrash,
  crashes: (digest: string) => number,
  { minCrashes, maxCrashes }: CrashCauseLimits,
): boolean {
  const own = crashes(digest);
  const others = [...crash.keys()].filter((other) => other !== digest);
  if (madeProgress(crash, digest) && others.some((other) => !madeProgress(crash, other))) return false;
  if (own > maxCrashes) return others.every((other) => crashes(other) < own);
  return own >= minCrashes && !others.some((other) => mayBeCauseInstead(digest, other, crash));
}

const madeProgress = (crash: EngineCrash, digest: string) => (crash.get(digest) ?? 0) >= MADE_PROGRESS;

/** Whether the other body can have been the cause as well: of two, the one with less progress is the likelier. */
function mayBeCauseInstead(digest: string, other: string, crash: EngineCrash): boolean {
  if (madeProgress(crash, digest)) return true;
  if (madeProgress(crash, other)) return false;
  return (crash.get(digest) ?? 0) > 0 || (crash.get(other) ?? 0) === 0;
}

/** Fields that do not change the prompt. The engine may read them, but crashes on the same prompt whatever they hold. */
const ignoredFields = new Set([
  ...['model', 'stream', 'stream_options', 'user', 'metadata', 'store', 'service_tier', 'safety_identifier'],
  ...['max_tokens', 'max_completion_tokens', 'max_output_tokens', 'n_predict', 'seed', 'prompt_cache_key'],
]);

/**
 * Recognises a body when it is sent again, by whatever route, and when its tokens are counted. It ignores the order of
 * fields, white space, and fields that do not change the prompt.
 */
export function promptDigest(body: Buffer): string {
  return createHash('sha256').update(canonicalPrompt(body)).digest('hex');
}

/** A multipart form is taken as it is. */
function canonicalPrompt(body: Buffer): Buffer | string {
  try {
    return JSON.stringify(JSON.parse(body.toString()), sortFields);
  } catch {
    return body;
  }
}

function sortFields(key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const isOutermost = key === '';
  const names = Object.keys(value).filter((name) => !(isOutermost && ignoredFields.has(name)));
  return Object.fromEntries(names.sort().map((name) => [name, (value as Record<string, unknown>)[name]]));
}
