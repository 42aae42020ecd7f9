import type { Key, Priority } from '../../keys/key.ts';
import { getKeyStatus } from '../../keys/key-status.ts';
import { limitsAt } from '../../keys/temporary-limits.ts';
import { HOUR } from '../../settings/durations.ts';
import type { UsageSums } from '../api/usage.ts';

const MAX_KEYS = 12;

/** The usage of a key since midnight UTC, and its budget. */
export interface KeyUsageView {
  readonly id: string;
  readonly priority: Priority;
  readonly state: 'active' | 'disabled' | 'expired';
  /** ms since 1970; null is never. */
  readonly expires: number | null;
  readonly expiresSoon: boolean;
  /** ms since 1970; null if it never was. */
  readonly lastUsed: number | null;
  readonly requests: number;
  readonly errors: number;
  readonly tokens: number;
  /** Tokens per day; null is no limit. */
  readonly budget: number | null;
  /** The cost of its machine time, in the currency of `COST_PER_HOUR`; null if that is not set. */
  readonly cost: number | null;
  /** Recent cost of a million output tokens. */
  readonly costPerMillion: number | null;
}

export interface TopKeysOptions {
  readonly keys: readonly Key[];
  /** Those who sign in with tokens. They do not expire; their tokens do. */
  readonly identities: readonly Key[];
  readonly today: (keyId: string) => Readonly<UsageSums>;
  readonly seen: (keyId: string) => { readonly lastUsed: number } | undefined;
  readonly costByKey: ReadonlyMap<string, { readonly costPerMillionOutputTokens: number | undefined }>;
  readonly costPerHour: number | undefined;
  readonly now: number;
}

/** The keys with the most tokens today, highest first. Unused keys are listed only if they have a budget. */
export function topKeys(options: TopKeysOptions): KeyUsageView[] {
  const { keys, identities, today, seen, costByKey, costPerHour, now } = options;
  return [...keys, ...identities.map((key) => ({ ...key, expires: null }))]
    .map((key) => ({ key, usage: today(key.id), budget: limitsAt(key, now).tokensPerDay || null }))
    .filter(({ usage, budget }) => usage.requests > 0 || budget !== null)
    .sort((a, b) => sumTokens(b.usage) - sumTokens(a.usage) || b.usage.requests - a.usage.requests)
    .slice(0, MAX_KEYS)
    .map(({ key, usage, budget }) => {
      const { state, expiresSoon } = getKeyStatus(key, now);
      return {
        ...{ id: key.id, priority: key.priority, state, expiresSoon, budget },
        expires: key.expires ?? null,
        lastUsed: seen(key.id)?.lastUsed ?? null,
        ...{ requests: usage.requests, errors: usage.errors, tokens: sumTokens(usage) },
        cost: costPerHour === undefined ? null : (usage.machineMs / HOUR) * costPerHour,
        costPerMillion: costByKey.get(key.id)?.costPerMillionOutputTokens ?? null,
      };
    });
}

const sumTokens = ({ input, output }: Readonly<UsageSums>) => input + output;
