import type { Key, Priority } from '../../keys/key.ts';
import { getKeyStatus } from '../../keys/key-status.ts';
import { HOUR } from '../../settings/durations.ts';
import type { TokenCost } from '../gpu/token-cost.ts';
import type { UsageSums } from '../proxy/usage-sums.ts';

const MOST = 12;

/** What a key did since midnight UTC, and what it may. */
export interface KeyUsageView {
  readonly id: string;
  readonly priority: Priority;
  readonly state: 'active' | 'disabled' | 'expired';
  readonly expiresSoon: boolean;
  readonly requests: number;
  readonly errors: number;
  readonly tokens: number;
  /** Tokens of a day; null is no limit. */
  readonly budget: number | null;
  /** In the money of `COST_PER_HOUR`, for its share of the machine's time; null where no cost is known. */
  readonly cost: number | null;
  /** At present, of a million tokens of output. */
  readonly costPerMillion: number | null;
}

export interface TopKeysOptions {
  readonly keys: readonly Key[];
  readonly today: (keyId: string) => Readonly<UsageSums>;
  readonly prices: ReadonlyMap<string, TokenCost>;
  readonly costPerHour: number | undefined;
  readonly now: number;
}

/** The keys that used most today, the greediest first; those that used nothing are left out unless they have a budget. */
export function topKeys({ keys, today, prices, costPerHour, now }: TopKeysOptions): KeyUsageView[] {
  return keys
    .map((key) => ({ key, usage: today(key.id), budget: key.limits.tokensPerDay || null }))
    .filter(({ usage, budget }) => usage.requests > 0 || budget !== null)
    .sort((a, b) => tokensOf(b.usage) - tokensOf(a.usage) || b.usage.requests - a.usage.requests)
    .slice(0, MOST)
    .map(({ key, usage, budget }) => {
      const { state, expiresSoon } = getKeyStatus(key, now);
      return {
        ...{ id: key.id, priority: key.priority, state, expiresSoon, budget },
        ...{ requests: usage.requests, errors: usage.errors, tokens: tokensOf(usage) },
        cost: costPerHour === undefined ? null : (usage.machineMs / HOUR) * costPerHour,
        costPerMillion: prices.get(key.id)?.costPerMillionOutputTokens ?? null,
      };
    });
}

const tokensOf = ({ input, output }: Readonly<UsageSums>) => input + output;
