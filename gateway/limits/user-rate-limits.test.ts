import type { ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { createKey } from '../../keys/secret.ts';
import { ClientResponse } from '../http/client-response.ts';
import { LocalStore } from './counter-store.ts';
import { RateLimits } from './rate-limits.ts';
import { userBucketName } from './rates.ts';
import { RecentUsers } from './recent-users.ts';

const { key } = createKey('team', { usersFrom: 'x-user', userLimits: { requestsPerMinute: 1 } }, 0);

/** Counts the buckets that exist. */
class CountingStore extends LocalStore {
  readonly forgotten: string[] = [];

  override forget(bucket: string): void {
    this.forgotten.push(bucket);
    super.forget(bucket);
  }
}

it('a flood of users leaves no more counters than users have, and forgets the least recently used first', async () => {
  const store = new CountingStore(3600);
  const limits = new RateLimits({ requests: 0, tokens: 0 }, store);
  const response = new ClientResponse({ headersSent: true } as ServerResponse);
  const count = (user: string) => limits.countRequest({ key, record: { user }, response }, 'requests');
  await count('patient');
  for (let n = 0; n < 10_500; n++) {
    await count(`user ${n}`);
    if (n === 9000) await expect(count('patient')).rejects.toThrow(/the limit of each user/);
  }
  expect(store.forgotten).toContain(userBucketName(key, 'user 0', 'requests'));
  expect(store.forgotten).not.toContain(userBucketName(key, 'patient', 'requests'));
  expect(new Set(store.forgotten).size / 3).toBe(501);
  await expect(count('patient')).rejects.toThrow(/the limit of each user/);
});

it('users of one key push out none of another', () => {
  const recent = new RecentUsers(2);
  expect(['a', 'b'].map((user) => recent.use('one', user))).toEqual([undefined, undefined]);
  expect(recent.use('two', 'c')).toBe(undefined);
  expect(recent.use('one', 'a')).toBe(undefined);
  expect(recent.use('one', 'd')).toBe('b');
});
