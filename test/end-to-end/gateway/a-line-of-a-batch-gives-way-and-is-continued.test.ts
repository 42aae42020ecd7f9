import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type CuttingBackend, startCuttingBackend } from '../../fakes/start-cutting-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { scrape } from '../../harness/read-metrics.ts';
import { startTestGateway, type TestGateway, testerSecret } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { startLlamaServer } from '../../services/start-llama-server.ts';

const runnerKey = 'sk-of-the-runner';
const keys = keyFileText({ tester: { secret: testerSecret, scopes: ['inference', 'batch'] } });
const messages = [{ role: 'user', content: 'a long story' }];

interface Demo extends AsyncDisposable {
  readonly corral: TestGateway;
  /** In front of the engine, which generates a whole line in a moment: it holds the line until the test has seen it. */
  readonly wire: CuttingBackend;
}

async function start(args: readonly string[] = []): Promise<Demo> {
  const llama = await startLlamaServer({ slots: 1, args });
  const wire = await startCuttingBackend(llama);
  const corral = await startTestGateway({ backend: wire.backend, keys, env: { RUNNER_KEY: runnerKey } });
  return {
    ...{ corral, wire },
    async [Symbol.asyncDispose]() {
      await corral.stop();
      await wire.stop();
      await llama.stop();
    },
  };
}

let demo: Demo;
let batches = 0;
beforeAll(async () => {
  demo = await start();
});
beforeEach(() => {
  batches += 1;
});
afterAll(() => demo[Symbol.asyncDispose]());

const asClient = () => ({ authorization: `Bearer ${testerSecret}` });
const asRunner = () => ({
  authorization: `Bearer ${runnerKey}`,
  'x-corral-on-behalf-of': 'tester',
  'x-corral-batch': `batch_${batches}`,
});

async function send(path: string, body: object, headers: Record<string, string>) {
  const response = await fetch(`${demo.corral.origin}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const slots = response.headers.get('x-corral-batch-slots');
  return { status: response.status, slots, json: await response.json() };
}

/** The requests of a client take their turn while the line runs; a client gets its response long before the line is complete. */
const interrupt = () =>
  send('/v1/chat/completions', { messages: [{ role: 'user', content: 'hi' }], max_tokens: 4 }, asClient());

const isHeld = () => waitFor('the line to be held', () => demo.wire.held === 1);

/** A request of a client that has to wait for the line to finish. */
async function finishBefore(line: ReturnType<typeof send>): Promise<void> {
  await isHeld();
  const client = interrupt();
  await waitFor('the client to be in line', () => demo.corral.gateway.scheduler.counts.waiting === 1);
  demo.wire.release();
  expect(await line).toMatchObject({ status: 200 });
  expect(await client).toMatchObject({ status: 200 });
}

const lineOfBatch = () =>
  waitFor('the log line of the batch', () =>
    demo.corral.logged.find(({ batch, status }) => batch === `batch_${batches}` && status),
  );

const apis = [
  ['/v1/chat/completions', { messages, max_tokens: 600 }],
  ['/v1/completions', { prompt: 'a long story', max_tokens: 600 }],
  ['/v1/responses', { input: 'a long story', max_output_tokens: 600 }],
  ['/v1/messages', { messages, max_tokens: 600 }],
] as const;

/** What differs from response to response. */
const withoutIds = (json: unknown) =>
  JSON.stringify(json, (name, value) =>
    ['id', 'created', 'created_at', 'completed_at', 'timings', 'system_fingerprint'].includes(name) ||
    name.endsWith('_details') ||
    name.startsWith('cache_')
      ? undefined
      : value,
  );

it.each(apis)('%s: the response is as if nothing had happened', async (path, fields) => {
  const body = { ...fields, temperature: 0 };
  // Before the first line of an API the engine is asked how it continues responses, which takes its cache.
  await send(path, body, { ...asRunner(), 'x-corral-batch': 'batch_before' });
  const expected = await send(path, body, asClient());
  demo.wire.holds = [30, 30, 30];
  const line = send(path, body, asRunner());
  for (let n = 0; n < 3; n++) {
    await isHeld();
    expect(await interrupt()).toMatchObject({ status: 200 });
  }
  const { status, slots, json } = await line;
  expect([status, slots]).toEqual([200, '1']);
  expect(expected.slots, 'the header is for the runner').toBeNull();
  expect(withoutIds(json)).toBe(withoutIds(expected.json));
  const logged = await lineOfBatch();
  expect(logged).toMatchObject({ preempted: 3, status: 200 });
  for (const name of ['discarded', 'retries', 'continued']) expect(logged, name).not.toHaveProperty(name);
});

it('a line that cannot be continued is begun anew if little is lost', async () => {
  const body = { messages, max_tokens: 60, logprobs: true, temperature: 0 };
  const expected = await send('/v1/chat/completions', body, asClient());
  demo.wire.holds = [5];
  const line = send('/v1/chat/completions', body, asRunner());
  await isHeld();
  await interrupt();
  const { json } = await line;
  expect(withoutIds(json)).toBe(withoutIds(expected.json));
  expect(await lineOfBatch()).toMatchObject({ preempted: 1 });
});

it('a line that cannot be continued and has come far is left to finish', async () => {
  demo.wire.holds = [100];
  await finishBefore(send('/v1/chat/completions', { messages, max_tokens: 600, logprobs: true }, asRunner()));
  expect(await lineOfBatch()).not.toHaveProperty('preempted');
});

it('the first line on an engine that continues no responses is left to finish, too', async () => {
  const before = demo;
  await using own = await start(['--no-prefill-assistant']);
  demo = own;
  try {
    demo.wire.holds = [100];
    await finishBefore(send('/v1/messages', { messages, max_tokens: 600 }, asRunner()));
    for (const name of ['preempted', 'discarded', 'retries'])
      expect(await lineOfBatch(), name).not.toHaveProperty(name);
  } finally {
    demo = before;
  }
});

it('preemptions are counted, and not as failures', async () => {
  const metrics = await scrape(demo.corral.origin);
  expect(metrics.value('corral_batch_preemptions_total')).toBeGreaterThanOrEqual(12);
  expect(metrics.value('corral_admissions_total', { outcome: 'granted', priority: 'batch' })).toBeGreaterThan(
    12,
  );
  expect([metrics.value('corral_replays_total'), metrics.value('corral_continuations_total')]).toEqual([
    0, 0,
  ]);
});
