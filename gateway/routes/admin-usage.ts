import type { GatewayContext } from '../door/gateway-context.ts';
import { parseSince, sinceExpected } from '../ledger/parse-since.ts';
import type { UsageLedger } from '../ledger/usage-ledger.ts';
import { usageReport } from '../ledger/usage-report.ts';
import { invalidValue } from '../refusal/catalogue.ts';

/** `GET /admin/usage`: what `corral keys usage --json` says, to the last request. */
export function showUsage(ledger: UsageLedger, costPerHour: number | undefined) {
  return async (c: GatewayContext) => {
    const since = parseSince(c.req.query('since') ?? '30d', Date.now());
    if (since === undefined) throw invalidValue('since', sinceExpected);
    const keyId = c.req.query('key');
    const by = c.req.query('by') ?? (keyId === undefined ? 'key' : 'day');
    if (by !== 'key' && by !== 'day') throw invalidValue('by', 'key or day');
    const question = { since, keyId, by } as const;
    const rows = await ledger.ask(question);
    const report = usageReport({ question, rows, costPerHour, seen: (id) => ledger.seen(id) });
    return c.json({ ...report, problem: ledger.problem ?? null });
  };
}
