import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FailedLogins } from './failed-logins.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

async function failTimes(logins: FailedLogins, address: string, times: number) {
  const waits: (number | undefined)[] = [];
  for (let n = 0; n < times; n++) waits.push(await logins.count(address));
  return waits;
}

describe('failed logins', () => {
  it('are let pass up to the limit, and then told the real wait', async () => {
    const logins = new FailedLogins(2);
    expect(await failTimes(logins, '203.0.113.7', 3)).toEqual([undefined, undefined, 60_000]);
    vi.advanceTimersByTime(45_000);
    expect(await logins.count('203.0.113.7')).toBe(15_000);
    vi.advanceTimersByTime(15_000);
    expect(await logins.count('203.0.113.7')).toBe(undefined);
  });

  it('are counted for each address, and for each /64 of IPv6', async () => {
    const logins = new FailedLogins(1);
    await logins.count('203.0.113.7');
    await logins.count('2001:db8:1:2::1');
    expect(await logins.count('203.0.113.8')).toBe(undefined);
    expect(await logins.count('2001:db8:1:3::1')).toBe(undefined);
    expect(await logins.count('2001:db8:1:2:ffff::1')).toBe(60_000);
  });

  it('are not counted with a limit of 0', async () => {
    const waits = await failTimes(new FailedLogins(0), '203.0.113.7', 100);
    expect(new Set(waits)).toEqual(new Set([undefined]));
  });

  it('are all told in the total, whatever the limit', async () => {
    for (const logins of [new FailedLogins(0), new FailedLogins(2)]) {
      await failTimes(logins, '203.0.113.7', 5);
      expect(logins.total).toBe(5);
    }
  });

  it('of any number of addresses keep a bounded number of counts', async () => {
    const logins = new FailedLogins(1_000_000);
    const before = vi.getTimerCount();
    for (let n = 0; n < 120_000; n++)
      await logins.count(`2001:db8:${(n >> 16).toString(16)}:${(n & 0xffff).toString(16)}::`);
    const counts = vi.getTimerCount() - before;
    expect(counts).toBeGreaterThan(50_000);
    expect(counts).toBeLessThanOrEqual(65_536);
  });
});
