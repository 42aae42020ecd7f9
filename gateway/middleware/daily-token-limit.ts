import type { MiddlewareHandler } from 'hono';
import { dailyBudgetExceeded } from '../errors/catalogue.ts';
import type { GatewayEnv } from '../proxy/gateway-context.ts';

/** The usage of each key since midnight UTC. */
export interface DailyUsage {
  /** Resolves when the usage from before the start of this process has been read. */
  readonly ready: Promise<void>;
  today(keyId: string, now: number): { readonly input: number; readonly output: number };
}

/** Rejects a key that has used up its `tokensPerDay`, until midnight UTC. Requests in progress may exceed it. */
export function limitDailyTokens(usage: DailyUsage): MiddlewareHandler<GatewayEnv> {
  return async function limitDailyTokens(c, next) {
    const key = c.get('key');
    const budget = key?.limits.tokensPerDay ?? 0;
    if (key === undefined || budget === 0) return next();
    await usage.ready;
    const { input, output } = usage.today(key.id, Date.now());
    if (input + output >= budget) throw dailyBudgetExceeded(budget, input + output);
    return next();
  };
}
