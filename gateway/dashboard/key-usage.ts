import type { Key, Priority } from '../../keys/key.ts';
import { getKeyStatus } from '../../keys/key-status.ts';
import { HOUR } from '../../settings/durations.ts';
import type { UsageSums } from '../proxy/usage-sums.ts';

const MAX_KEYS = 12;

/** The usage of a key since midnight UTC, and its budget. */
export interface KeyUsageView {
  readonly id: string;
  readonly priority: Priority;
  readonly state: 'active' | 'disabled' | 'expired';
  readonly expiresSoon: boolean;
  readonly requests: number;
  readonly errors: number;
  readonly tokens: number;
  /** Tokens per day; null is no limit. */
  readonly budget: number | null;
  /** Of its machine time, in the currency of `COST_PER_HOUR`; null if that is not set. */
  readonly cost: number | null;
  /** Recent cost of a million output tokens. */
  readonly costPerMillion: number | null;
}

export interface TopKeysOptions {
  readonly keys: readonly Key[];
  readonly today: (keyId: string) => Readonly<UsageSums>;
  readonly costByKey: ReadonlyMap<string, { readonly costPerMillionOutputTokens: number | undefined }>;
  readonly costPerHour: number | undefined;
  readonly now: number;
}

/** The keys with the most tokens today, highest first. Unused keys are listed only if they have a budget. */
export function topKeys({ keys, today, costByKey, costPerHour, now }: TopKeysOptions): KeyUsageView[] {
  return keys
    .map((key) => ({ key, usage: today(key.id), budget: key.limits.tokensPerDay || null }))
    .filter(({ usage, budget }) => usage.requests > 0 || budget !== null)
    .sort((a, b) => sumTokens(b.usage) - sumTokens(a.usage) || b.usage.requests - a.usage.requests)
    .slice(0, MAX_KEYS)
    .map(({ key, usage, budget }) => {
      const { state, expiresSoon } = getKeyStatus(key, now);
      return {
        ...{ id: key.id, priority: key.priority, state, expiresSoon, budget },
        ...{ requests: usage.requests, errors: usage.errors, tokens: sumTokens(usage) },
        cost: costPerHour === undefined ? null : (usage.machineMs / HOUR) * costPerHour,
        costPerMillion: costByKey.get(key.id)?.costPerMillionOutputTokens ?? null,
      };
    });
}

const sumTokens = ({ input, output }: Readonly<UsageSums>) => input + output;
