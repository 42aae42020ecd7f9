import { Agent, request } from 'undici';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keyFileText } from '../../harness/key-file-text.ts';
import { type Demo, startDemo } from '../../harness/start-demo.ts';
import { waitFor } from '../../harness/wait-for.ts';

const secrets = { high: 'sk-high-0123456789', normal: 'sk-normal-0123456789', low: 'sk-low-0123456789' };
type Priority = keyof typeof secrets;
const priorities = Object.keys(secrets) as Priority[];

let demo: Demo;
const connections = new Agent({ connections: null });

/** One slot, so that the order of the responses is the order of the grants. */
beforeAll(async () => {
  demo = await startDemo({
    llama: { slots: 1 },
    env: { MAX_QUEUE_SIZE: '3000', MAX_QUEUE_PER_KEY: '3000', QUEUE_TIMEOUT: '1h' },
    keys: keyFileText({
      ...(Object.fromEntries(priorities.map((id) => [id, { secret: secrets[id], priority: id }])) as Record<
        Priority,
        { secret: string; priority: Priority }
      >),
    }),
  });
});
afterAll(async () => {
  await connections.close();
  await demo.stop();
});

/** A request of one token; resolves with its response. */
async function send(key: Priority, order: Priority[]): Promise<void> {
  const { statusCode, body } = await request(`${demo.baseURL}/completions`, {
    method: 'POST',
    dispatcher: connections,
    headers: { 'x-api-key': secrets[key], 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: 'hi', max_tokens: 1 }),
  });
  expect(statusCode).toBe(200);
  await body.dump();
  order.push(key);
}

const waiting = (least: number) => () => demo.corral.gateway.scheduler.counts.waiting >= least;

/** Occupies the only slot until all competing requests are queued. */
async function occupySlot(until: () => Promise<unknown>): Promise<void> {
  const { scheduler } = demo.corral.gateway;
  const lane = { id: 'the test', weight: 2, maxConcurrent: Infinity };
  const held = await scheduler.admit({ lane, slots: 1, signal: new AbortController().signal });
  if (held.outcome !== 'granted') throw new Error('the slot is taken');
  using _lease = held.lease;
  await until();
}

it('a single request of one key waits for at most one of five hundred requests of another', async () => {
  const order: Priority[] = [];
  const all: Promise<void>[] = [];
  await occupySlot(async () => {
    for (let n = 0; n < 500; n++) all.push(send('normal', order));
    await waitFor('the others to be queued', waiting(500));
    all.push(send('low', order));
    await waitFor('the single request to be queued', waiting(501));
  });
  await Promise.all(all);
  expect(order).toHaveLength(501);
  expect(order.indexOf('low')).toBeLessThanOrEqual(1);
});

it('priorities share slots 4 : 2 : 1, within a tenth over a thousand grants', async () => {
  const order: Priority[] = [];
  const all: Promise<void>[] = [];
  const amounts = { high: 620, normal: 320, low: 180 };
  await occupySlot(async () => {
    for (const key of priorities) for (let n = 0; n < amounts[key]; n++) all.push(send(key, order));
    await waitFor('all to be queued', waiting(1120));
  });
  await Promise.all(all);
  const shares = { high: 4 / 7, normal: 2 / 7, low: 1 / 7 };
  for (const key of priorities) {
    const got = order.slice(0, 1000).filter((served) => served === key).length;
    expect(Math.abs(got / 1000 - shares[key]) / shares[key], `${key}: ${got}`).toBeLessThan(0.1);
  }
});
