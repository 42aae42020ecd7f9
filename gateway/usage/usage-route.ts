import { invalidValue } from '../errors/catalogue.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';
import type { UsageLedger } from './usage-ledger.ts';
import { createUsageReport, parseSince, sinceFormat } from './usage-report.ts';

/** `GET /admin/usage`: the same as `corral keys usage --json`, including the latest requests. */
export function handleUsage(ledger: UsageLedger, costPerHour: number | undefined) {
  return async (c: GatewayContext) => {
    const since = parseSince(c.req.query('since') ?? '30d', Date.now());
    if (since === undefined) throw invalidValue('since', sinceFormat);
    const keyId = c.req.query('key');
    const by = c.req.query('by') ?? (keyId === undefined ? 'key' : 'day');
    if (by !== 'key' && by !== 'day') throw invalidValue('by', 'key or day');
    const query = { since, keyId, by } as const;
    const rows = await ledger.query(query);
    const report = createUsageReport({ query, rows, costPerHour, seen: (id) => ledger.seen(id) });
    return c.json({ ...report, problem: ledger.problem ?? null });
  };
}
