import { describe, expect, it } from 'vitest';
import { noUsage } from '../api/usage.ts';
import type { UsageRow } from './usage-batch.ts';
import { createUsageReport } from './usage-report.ts';

const row = (keyId: string, more: Partial<UsageRow>): UsageRow => ({
  ...{ ...noUsage, keyId, day: '', model: '' },
  ...more,
});

describe('createUsageReport', () => {
  const rows = [
    row('b', { requests: 2, input: 10, output: 5, machineMs: 1_800_000 }),
    row('a', { requests: 1, errors: 1, queueMs: 1234.5678, computeMs: 4000, machineMs: 900_000 }),
  ];
  const query = { since: '2026-11-01', keyId: undefined, by: ['key'] } as const;
  const seen = (keyId: string) =>
    keyId === 'a'
      ? { keyId, lastUsed: Date.parse('2026-11-20T10:00:00Z'), previousLastUsed: null }
      : undefined;

  it('has one line per key, sorted, and a total', () => {
    const { usage, total } = createUsageReport({ query, rows, costPerHour: undefined, seen });
    expect(usage).toMatchObject([
      {
        key: 'a',
        requests: 1,
        errors: 1,
        queueSeconds: 1.235,
        lastUsed: '2026-11-20T10:00:00.000Z',
        cost: null,
      },
      { key: 'b', requests: 2, inputTokens: 10, outputTokens: 5, lastUsed: null },
    ]);
    expect(total).toMatchObject({ requests: 3, errors: 1, machineSeconds: 2700, cost: null });
  });

  it('has one line per model', () => {
    const byModel = { ...query, by: ['model'] } as const;
    const rows = [row('', { model: 'v2', requests: 1 }), row('', { model: 'v1', requests: 2 })];
    const { usage } = createUsageReport({ query: byModel, rows, costPerHour: undefined, seen });
    expect(usage).toMatchObject([
      { model: 'v1', requests: 2 },
      { model: 'v2', requests: 1 },
    ]);
    expect(usage[0]).not.toHaveProperty('key');
  });

  it('converts machine time to cost', () => {
    const { usage, total } = createUsageReport({ query, rows, costPerHour: 2, seen });
    expect(usage.map(({ cost }) => cost)).toEqual([0.5, 1]);
    expect(total.cost).toBe(1.5);
  });
});
