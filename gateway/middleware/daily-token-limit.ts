import type { MiddlewareHandler } from 'hono';
import { dailyBudgetExceeded } from '../errors/catalogue.ts';
import type { UsageLedger } from '../usage/usage-ledger.ts';
import type { GatewayEnv } from './gateway-context.ts';

/** Refuses a key whose `tokensPerDay` are used up, until midnight UTC. What is under way then may go beyond them. */
export function limitDailyTokens(ledger: UsageLedger): MiddlewareHandler<GatewayEnv> {
  return async function refuseSpentBudget(c, next) {
    const key = c.get('key');
    const budget = key?.limits.tokensPerDay ?? 0;
    if (key === undefined || budget === 0) return next();
    await ledger.ready;
    const { input, output } = ledger.today(key.id, Date.now());
    if (input + output >= budget) throw dailyBudgetExceeded(budget, input + output);
    return next();
  };
}
