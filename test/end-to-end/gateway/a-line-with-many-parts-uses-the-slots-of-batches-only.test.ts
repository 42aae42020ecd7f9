import { beforeAll, expect, it } from 'vitest';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { startTestGateway, type TestGateway, testerSecret } from '../../harness/start-gateway.ts';

const runnerKey = 'sk-of-the-runner';
const keys = keyFileText({ tester: { secret: testerSecret, scopes: ['inference', 'batch'] } });

/** What the engine was asked for, and the most that it worked on at once. */
let asked: Record<string, unknown>[] = [];
let [current, most] = [0, 0];

let fake: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fake = await startFakeBackend(
    ({ body }, response) => {
      const fields = JSON.parse(body);
      asked.push(fields);
      const count = fields.n ?? fields.input?.length ?? 1;
      current += count;
      most = Math.max(most, current);
      const results = Array.from({ length: count }, (_, index) => ({
        index,
        message: { content: `${index}` },
      }));
      const usage = { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 };
      const list = fields.input ? { data: results } : { choices: results };
      setImmediate(() => {
        current -= count;
        response
          .setHeader('content-type', 'application/json')
          .end(JSON.stringify({ id: 'x', ...list, usage }));
      });
    },
    { slots: 4 },
  );
  corral = await startTestGateway({
    backend: fake.backend,
    keys,
    env: { RUNNER_KEY: runnerKey, BATCH_SLOTS: '2' },
  });
  return async () => {
    await corral.stop();
    await fake.stop();
  };
});

async function sendLine(path: string, fields: object) {
  [asked, current, most] = [[], 0, 0];
  const response = await fetch(corral.origin + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${runnerKey}`,
      'content-type': 'application/json',
      'x-corral-on-behalf-of': 'tester',
      'x-corral-batch': 'batch_1',
    },
    body: JSON.stringify({ model: 'fake-model', ...fields }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: it is the response of any API
  const body: any = await response.json();
  return { status: response.status, headers: response.headers, body };
}

const chat = { messages: [{ role: 'user', content: 'hi' }] };

it.each([
  ['/v1/chat/completions', { ...chat, n: 3, seed: 10 }],
  ['/v1/completions', { prompt: 'hi', n_cmpl: 3, n: 7, seed: 10 }],
])(
  '%s: more choices than slots are generated in parts, with the seeds of one request',
  async (path, fields) => {
    const { status, headers, body } = await sendLine(path, fields);
    expect(status).toBe(200);
    expect(body.choices.map(({ index }: { index: number }) => index)).toEqual([0, 1, 2]);
    expect(asked.map(({ n, n_cmpl, seed }) => [n, n_cmpl, seed])).toEqual([
      [2, undefined, 10],
      [1, undefined, 12],
    ]);
    expect(most).toBe(2);
    expect(headers.get('x-corral-batch-slots')).toBe('2');
  },
);

it('more choices than slots of each of several prompts are generated in parts, too', async () => {
  const { status, body } = await sendLine('/v1/completions', { prompt: ['a', 'b'], n: 3, seed: 10 });
  expect(status).toBe(200);
  expect(body.choices.map(({ index }: { index: number }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(asked.map(({ prompt, n, seed }) => [prompt, n, seed])).toEqual([
    ['a', 2, 10],
    ['a', 1, 12],
    ['b', 2, 10],
    ['b', 1, 12],
  ]);
  expect(most).toBe(2);
  expect(body.usage.completion_tokens).toBe(4);
});

it('as many choices as slots are one request', async () => {
  const { body } = await sendLine('/v1/chat/completions', { ...chat, n: 2 });
  expect([asked.length, body.choices?.length]).toEqual([1, 2]);
});

it('more choices than the engine has slots are left to the engine', async () => {
  await sendLine('/v1/chat/completions', { ...chat, n: 5 });
  expect(asked.map(({ n }) => n)).toEqual([5]);
});

it('a line of many texts says how many slots batches may use', async () => {
  const { headers, body } = await sendLine('/v1/embeddings', { input: ['a', 'b', 'c', 'd', 'e'] });
  expect([body.data.length, most]).toEqual([5, 2]);
  expect(headers.get('x-corral-batch-slots')).toBe('2');
});
