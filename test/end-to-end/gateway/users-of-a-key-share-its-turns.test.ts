import { writeFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { UsageRow } from '../../../gateway/usage/usage-batch.ts';
import type { NewKeyOptions } from '../../../keys/secret.ts';
import { userId } from '../../../keys/users.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { type Demo, startDemo } from '../../harness/start-demo.ts';
import { waitFor } from '../../harness/wait-for.ts';

const secrets = { team: 'sk-team-0123456789', single: 'sk-single-0123456789' };

const keysWith = (team: NewKeyOptions) =>
  keyFileText({ team: { secret: secrets.team, ...team }, single: { secret: secrets.single } });

let demo: Demo;
const connections = new Agent({ connections: null });

/** One slot, so that the order of the responses is the order of the grants. */
beforeAll(async () => {
  demo = await startDemo({
    llama: { slots: 1 },
    env: { MAX_QUEUE_SIZE: '1000', MAX_QUEUE_PER_KEY: '1000', QUEUE_TIMEOUT: '1h' },
    keys: keysWith({ usersFrom: 'X-OpenWebUI-User-Id' }),
  });
});
afterAll(async () => {
  await connections.close();
  await demo.stop();
});

/** A request of one token; writes its name into the order when its response is complete. */
async function send(key: keyof typeof secrets, user: string, order: string[]): Promise<void> {
  const { statusCode, body } = await request(`${demo.baseURL}/completions`, {
    method: 'POST',
    dispatcher: connections,
    headers: {
      'x-api-key': secrets[key],
      'content-type': 'application/json',
      'x-openwebui-user-id': user,
    },
    body: JSON.stringify({ prompt: 'hi', max_tokens: 1 }),
  });
  expect(statusCode).toBe(200);
  await body.dump();
  order.push(key === 'team' ? user : key);
}

/** Sends requests while the only slot is taken, one by one, and returns the order of their responses. */
async function orderOf(requests: readonly (readonly [key: keyof typeof secrets, user: string])[]) {
  const { scheduler } = demo.corral.gateway;
  const lane = { id: 'the test', weight: 2, maxConcurrent: Infinity };
  const held = await scheduler.admit({ lane, slots: 1, signal: new AbortController().signal });
  if (held.outcome !== 'granted') throw new Error('the slot is taken');
  const order: string[] = [];
  const all: Promise<void>[] = [];
  {
    using _lease = held.lease;
    for (const [key, user] of requests) {
      all.push(send(key, user, order));
      await waitFor('the request to be queued', () => scheduler.counts.waiting === all.length);
    }
  }
  await Promise.all(all);
  return order;
}

const times = (count: number, key: keyof typeof secrets, user: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => [key, user(n)] as const);

it('a user waits for at most one of the forty requests of another', async () => {
  const order = await orderOf([...times(40, 'team', () => 'a'), ['team', 'b'], ['team', 'b']]);
  expect(order.slice(0, 4).toSorted()).toEqual(['a', 'a', 'b', 'b']);
});

it('fifty users of one key get as many turns as one client of another', async () => {
  const order = await orderOf([
    ...times(100, 'team', (n) => `user ${n % 50}`),
    ...times(60, 'single', (n) => `user ${n}`),
  ]);
  const turns = order.slice(0, 100).filter((name) => name === 'single').length;
  expect(Math.abs(turns - 50)).toBeLessThanOrEqual(1);
});

it('the usage of its users adds up to that of the key', async () => {
  const { ledger } = demo.corral.gateway;
  const query = (by: 'user' | 'key') => ledger.query({ since: '2000-01-01', keyId: 'team', by: [by] });
  const sum = (rows: readonly UsageRow[], name: 'requests' | 'input' | 'output' | 'machineMs') =>
    rows.reduce((all, row) => all + row[name], 0);
  await waitFor('all requests to be recorded', async () => sum(await query('key'), 'requests') === 142);
  const [byUser, byKey] = [await query('user'), await query('key')];
  for (const name of ['requests', 'input', 'output', 'machineMs'] as const)
    expect(sum(byUser, name), name).toBeCloseTo(sum(byKey, name));
  const requestsOf = (user: string) =>
    byUser.find((row) => row.user === userId('team', Buffer.from(user)))?.requests;
  expect([requestsOf('a'), requestsOf('b'), requestsOf('user 7')]).toEqual([40, 2, 2]);
  expect(
    sum(
      byUser.filter(({ user }) => user === 'none'),
      'requests',
    ),
  ).toBe(0);
});

it('a key that tells no users apart has one line, whatever its requests say', async () => {
  const order: string[] = [];
  const { logged } = demo.corral;
  await send('single', 'a', order);
  const line = await waitFor('the log line', () => logged.findLast(({ key }) => key === 'single'));
  expect(line).not.toHaveProperty('user');
});

it('requests that wait while their key begins or ceases to tell users apart are all served, and count as they came', async () => {
  const { scheduler, ledger, reloadKeys } = demo.corral.gateway;
  const change = async (team: NewKeyOptions) => {
    writeFileSync(demo.corral.keyFile, keysWith(team));
    await reloadKeys();
  };
  const requestsOf = async () => {
    const rows = await ledger.query({ since: '2000-01-01', until: undefined, keyId: 'team', by: ['user'] });
    return new Map(rows.map(({ user, requests }) => [user, requests]));
  };
  const before = (await requestsOf()).get('none') ?? 0;
  const order: string[] = [];
  const all: Promise<void>[] = [];
  const queue = async (user: string) => {
    all.push(send('team', user, order));
    await waitFor('the request to be queued', () => scheduler.counts.waiting === all.length);
  };
  const lane = { id: 'the test', weight: 2, maxConcurrent: Infinity };
  const held = await scheduler.admit({ lane, slots: 1, signal: new AbortController().signal });
  if (held.outcome !== 'granted') throw new Error('the slot is taken');
  {
    using _lease = held.lease;
    await queue('early');
    await change({});
    await queue('nobody');
    await change({ usersFrom: 'X-OpenWebUI-User-Id', userLimits: { concurrent: 1 } });
    await queue('late');
    await queue('late');
  }
  await Promise.all(all);
  expect(order.toSorted()).toEqual(['early', 'late', 'late', 'nobody']);
  await waitFor(
    'all slots to be free',
    () => scheduler.counts.leased === 0 && scheduler.counts.waiting === 0,
  );
  const id = (user: string) => userId('team', Buffer.from(user));
  await waitFor('the ledger', async () => (await requestsOf()).get(id('late')) === 2);
  const counted = await requestsOf();
  expect([counted.get(id('early')), counted.get('none'), counted.get(id('nobody'))]).toEqual([
    1,
    before + 1,
    undefined,
  ]);
});
