import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FailedLogins, presentedSecrets } from './authenticate.ts';

/** The string that Node gives for a header of UTF-8 bytes. */
const latin1 = (text: string) => Buffer.from(text).toString('latin1');

describe('presentedSecrets', () => {
  it.each([
    [{ authorization: 'Bearer sk-a' }, ['sk-a']],
    [{ authorization: 'BEARER \t sk-a ' }, ['sk-a']],
    [{ authorization: 'sk-a' }, ['sk-a']],
    [{ authorization: 'Bearersk-a' }, ['Bearersk-a']],
    [{ authorization: '' }, []],
    [{ 'x-api-key': 'sk-x', 'api-key': 'sk-y', authorization: 'Bearer sk-a' }, ['sk-x', 'sk-y', 'sk-a']],
    [{ 'x-api-key': ['sk-x', 'sk-y'] }, []],
    [{}, []],
    [{ 'x-api-key': latin1('schlüssel') }, ['schlüssel', latin1('schlüssel')]],
    [{ authorization: `Bearer ${latin1('łódź')}` }, ['łódź', latin1('łódź')]],
    [{ 'api-key': 'schl\u00fcssel' }, ['schl\u00fcssel']],
  ])('%j', (headers, secrets) => {
    expect(presentedSecrets(headers)).toEqual(secrets);
  });
});

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

async function failTimes(logins: FailedLogins, address: string, times: number) {
  const waits: (number | undefined)[] = [];
  for (let n = 0; n < times; n++) waits.push(await logins.count(address));
  return waits;
}

describe('failed logins', () => {
  it('have no wait up to the limit, and the rest of the minute beyond it', async () => {
    const logins = new FailedLogins(2);
    expect(await failTimes(logins, '203.0.113.7', 3)).toEqual([undefined, undefined, 60_000]);
    vi.advanceTimersByTime(45_000);
    expect(await logins.count('203.0.113.7')).toBe(15_000);
    vi.advanceTimersByTime(15_000);
    expect(await logins.count('203.0.113.7')).toBe(undefined);
  });

  it('are counted per address, and per /64 for IPv6', async () => {
    const logins = new FailedLogins(1);
    await logins.count('203.0.113.7');
    await logins.count('2001:db8:1:2::1');
    expect(await logins.count('203.0.113.8')).toBe(undefined);
    expect(await logins.count('2001:db8:1:3::1')).toBe(undefined);
    expect(await logins.count('2001:db8:1:2:ffff::1')).toBe(60_000);
  });

  it('have no wait if the limit is 0', async () => {
    const waits = await failTimes(new FailedLogins(0), '203.0.113.7', 100);
    expect(new Set(waits)).toEqual(new Set([undefined]));
  });

  it('are all counted in the total, whatever the limit', async () => {
    for (const logins of [new FailedLogins(0), new FailedLogins(2)]) {
      await failTimes(logins, '203.0.113.7', 5);
      expect(logins.total).toBe(5);
    }
  });

  it('use a bounded number of counters for any number of addresses', async () => {
    const logins = new FailedLogins(1_000_000);
    const before = vi.getTimerCount();
    for (let n = 0; n < 120_000; n++)
      await logins.count(`2001:db8:${(n >> 16).toString(16)}:${(n & 0xffff).toString(16)}::`);
    const counts = vi.getTimerCount() - before;
    expect(counts).toBeGreaterThan(50_000);
    expect(counts).toBeLessThanOrEqual(65_536);
  });
});
