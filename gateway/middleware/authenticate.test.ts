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

function failTimes(logins: FailedLogins, address: string, times: number) {
  const waits: (number | undefined)[] = [];
  for (let n = 0; n < times; n++) waits.push(logins.count(address));
  return waits;
}

describe('failed logins', () => {
  it('have no wait up to the limit, and the rest of the minute beyond it', () => {
    const logins = new FailedLogins(2);
    expect(failTimes(logins, '203.0.113.7', 3)).toEqual([undefined, undefined, 60_000]);
    vi.advanceTimersByTime(45_000);
    expect(logins.count('203.0.113.7')).toBe(15_000);
    vi.advanceTimersByTime(15_000);
    expect(logins.count('203.0.113.7')).toBe(undefined);
  });

  it('are counted per address, and per /64 for IPv6', () => {
    const logins = new FailedLogins(1);
    logins.count('203.0.113.7');
    logins.count('2001:db8:1:2::1');
    expect(logins.count('203.0.113.8')).toBe(undefined);
    expect(logins.count('2001:db8:1:3::1')).toBe(undefined);
    expect(logins.count('2001:db8:1:2:ffff::1')).toBe(60_000);
  });

  it('have no wait if the limit is 0', () => {
    const waits = failTimes(new FailedLogins(0), '203.0.113.7', 100);
    expect(new Set(waits)).toEqual(new Set([undefined]));
  });

  it('are all counted in the total, whatever the limit', () => {
    for (const logins of [new FailedLogins(0), new FailedLogins(2)]) {
      failTimes(logins, '203.0.113.7', 5);
      expect(logins.total).toBe(5);
    }
  });

  it('use a bounded number of counters for any number of addresses', () => {
    const logins = new FailedLogins(1);
    let counters = 0;
    // With a limit of 1, an address has no wait only if it is the first one of its counter.
    for (let n = 0; n < 120_000; n++) {
      const address = `2001:db8:${(n >> 16).toString(16)}:${(n & 0xffff).toString(16)}::`;
      if (logins.count(address) === undefined) counters += 1;
    }
    expect(counters).toBeGreaterThan(50_000);
    expect(counters).toBeLessThanOrEqual(65_536);
  });
});
