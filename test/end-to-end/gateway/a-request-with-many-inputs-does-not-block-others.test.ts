import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeBackend, type Received, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { startDemo } from '../../harness/start-demo.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const secretOf = (id: string) => `sk-${id}-0123456789abcdefghijklmnopqrstuvwxyz`;
const keys = keyFileText({
  batch: { secret: secretOf('batch'), scopes: ['inference', 'native'] },
  single: { secret: secretOf('single') },
});
const slots = 2;

/** Requests that the backend has not responded to yet. */
let held: { readonly request: Received; readonly response: ServerResponse }[] = [];
let fake: FakeBackend;
let corral: TestGateway;
beforeEach(async () => {
  held = [];
  fake = await startFakeBackend((request, response) => void held.push({ request, response }), {
    slots,
  });
  corral = await startTestGateway({ backend: fake.backend, keys, env: { MAX_QUEUE_SIZE: '1' } });
});
afterEach(async () => {
  await corral.stop();
  await fake.stop();
});

type Fields = Record<string, unknown>;
async function post(id: string, path: string, body: Fields, signal?: AbortSignal) {
  const response = await fetch(corral.origin + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${secretOf(id)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'fake-model', ...body }),
    signal: signal ?? null,
  });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}

const numbers = Array.from({ length: 9 }, (_, n) => `number ${n}`);
const kinds: [string, string, Fields, (fields: Fields) => unknown[], (inputs: unknown[]) => unknown][] = [
  [
    'texts to embed',
    '/v1/embeddings',
    { input: numbers },
    ({ input }) => input as unknown[],
    (inputs) => ({
      object: 'list',
      usage: { prompt_tokens: inputs.length },
      data: inputs.map((embedding, index) => ({ embedding, index })),
    }),
  ],
  [
    'documents to rank',
    '/v1/rerank',
    { query: 'q', documents: numbers, top_n: 9 },
    ({ documents }) => documents as unknown[],
    (inputs) => ({
      object: 'list',
      usage: { prompt_tokens: inputs.length },
      results: inputs.map((embedding, index) => ({ embedding, index, relevance_score: 0 })),
    }),
  ],
  [
    'prompts',
    '/v1/completions',
    { prompt: numbers, max_tokens: 200 },
    ({ prompt }) => [prompt],
    (inputs) => ({
      id: 'x',
      usage: { prompt_tokens: 1, completion_tokens: 0 },
      choices: inputs.map((embedding) => ({ embedding, index: 0, finish_reason: 'stop' })),
    }),
  ],
  [
    'native prompts',
    '/completion',
    { prompt: numbers },
    ({ prompt }) => [prompt],
    ([embedding]) => ({ embedding, index: 0, timings: { prompt_n: 1, predicted_n: 0, cache_n: 0 } }),
  ],
];

describe.each(kinds)('a batch of %s', (_, path, batch, inputsOf, responseTo) => {
  function respondToAll(): void {
    for (const { request, response } of held.splice(0)) {
      const fields = JSON.parse(request.body) as Fields;
      const result = fields.prompt === 'single' ? { choices: [] } : responseTo(inputsOf(fields));
      response.setHeader('content-type', 'application/json').end(JSON.stringify(result));
    }
  }

  it('lets other requests have their turns, and its responses are merged in order', async () => {
    const batchResponse = post('batch', path, batch);
    await waitFor('its first part to arrive', () => held.length > 0);
    const single = post('single', '/v1/completions', { prompt: 'single', max_tokens: 1 });
    await waitFor(
      'the other to be queued or to arrive',
      () => corral.gateway.scheduler.counts.waiting > 0 || held.length > 1,
    );
    let most = 0;
    const rounds: string[][] = [];
    const settled = Promise.all([batchResponse, single]);
    let isSettled = false;
    void settled.then(() => {
      isSettled = true;
    });
    await waitFor('all responses', () => {
      const sequences = held.flatMap(({ request }) => {
        const fields = JSON.parse(request.body) as Fields;
        return fields.prompt === 'single' ? [fields.prompt] : inputsOf(fields);
      });
      most = Math.max(most, sequences.length);
      if (held.length > 0) rounds.push(held.map(({ request }) => request.body));
      respondToAll();
      return isSettled;
    });
    const [{ status, headers, body }] = await settled;
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('application/json');
    const results = body.data ?? body.results ?? body.choices ?? body;
    expect(results.map(({ embedding, index }: Fields) => [index, embedding])).toEqual(
      numbers.map((text, n) => [n, text]),
    );
    expect(most).toBeLessThanOrEqual(slots);
    expect(rounds.findIndex((bodies) => bodies.some((text) => text.includes('single')))).toBeLessThanOrEqual(
      1,
    );
    await gatewayIsIdle(corral, fake);
    await waitFor(
      'its usage to be recorded',
      () => corral.gateway.ledger.today('batch', Date.now()).requests === 1,
    );
    expect(corral.gateway.ledger.today('batch', Date.now()).input).toBe(numbers.length);
  });

  it('fails with the error of the part that fails, and no other part is sent', async () => {
    const batchResponse = post('batch', path, batch);
    await waitFor('its first part to arrive', () => held.length > 0);
    respondToAll();
    await waitFor('the next to arrive', () => held.length > 0);
    const before = fake.received.length;
    const error = { code: 400, message: 'too long for us', type: 'invalid_request_error' };
    held.shift()?.response.writeHead(400).end(JSON.stringify({ error }));
    const { status, body } = await batchResponse;
    expect([status, body.error.message]).toEqual([400, 'too long for us']);
    await gatewayIsIdle(corral, fake);
    // One more may have been on its way to another slot.
    expect(fake.received.length).toBeLessThan(before + slots);
  });

  it('is aborted when its client disconnects', async () => {
    const aborting = new AbortController();
    const batchResponse = post('batch', path, batch, aborting.signal);
    await waitFor('its first part to arrive', () => held.length > 0);
    respondToAll();
    await waitFor('the next to arrive', () => held.length > 0);
    aborting.abort();
    await expect(batchResponse).rejects.toThrow();
    await gatewayIsIdle(corral, fake);
    await waitFor('its log line', () => corral.logged.some(({ status }) => status === 499));
    expect(corral.gateway.bodyBudget.bytes).toBe(0);
  });
});

it('the response to a batch of prompts has the choices that llama-server generates for each', async () => {
  await using demo = await startDemo({ llama: { slots: 2, context: 512 } });
  const send = async (body: object) => {
    const response = await fetch(`${demo.baseURL}/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${demo.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ temperature: 0, ...body }),
    });
    return (await response.json()) as {
      choices: { text: string; index: number }[];
      usage: { prompt_tokens: number; completion_tokens: number };
    };
  };
  const prompts = [
    'Tell me of keys',
    'Tell me of survival and of much more',
    'limits',
    'streams',
    'dashboard',
  ];
  const separate = [];
  for (const prompt of prompts) separate.push(await send({ prompt, max_tokens: 40 }));
  const { choices, usage } = await send({ prompt: prompts, max_tokens: 40, n: 2 });
  expect(choices.map(({ index, text }) => [index, text])).toEqual(
    separate.flatMap(({ choices: [one] }, n) => [
      [2 * n, one?.text],
      [2 * n + 1, one?.text],
    ]),
  );
  expect(usage.prompt_tokens).toBe(separate.reduce((sum, one) => sum + one.usage.prompt_tokens, 0));
});
