import { expect, it } from 'vitest';
import { answerWithItems, outputText } from '../../fakes/responses-engine.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';
import { batchKeys } from '../../harness/start-store-gateway.ts';

it('a line of a batch reads what its key has stored, and is kept only if it asks for that', async () => {
  await using backend = await startFakeBackend(answerWithItems(() => [outputText('fine')]));
  const runner = 'sk-of-the-runner';
  await using corral = await startTestGateway({
    backend: backend.backend,
    keys: batchKeys,
    env: { STORE: 'on', RUNNER_KEY: runner },
  });
  const request = async (secret: string, what: string, fields?: object, headers = {}) => {
    const [method = '', path = ''] = what.split(' ');
    const response = await fetch(corral.origin + path, {
      method,
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', ...headers },
      body: fields === undefined ? null : JSON.stringify(fields),
    });
    // biome-ignore lint/suspicious/noExplicitAny: a response or an error
    return { status: response.status, body: (await response.json()) as any };
  };
  const line = (fields: object) =>
    request(runner, 'POST /v1/responses', fields, {
      ...{ 'x-corral-on-behalf-of': 'tester', 'x-corral-batch': 'batch_1' },
    });
  const statusOf = async (id: string) => (await request(corral.secret, `GET /v1/responses/${id}`)).status;

  const kept = await line({ input: 'one', store: true });
  expect(kept).toMatchObject({ status: 200, body: { store: true } });
  expect(await statusOf(kept.body.id)).toBe(200);
  for (const fields of [{ input: 'two' }, { input: 'two', previous_response_id: kept.body.id }]) {
    const { status, body } = await line(fields);
    expect([status, body.store, await statusOf(body.id)]).toEqual([200, false, 404]);
  }
  expect(backend.received.at(-1)?.body).toContain('fine');
  expect(await line({ input: 'x', background: true })).toMatchObject({
    status: 400,
    body: { error: { param: 'background' } },
  });
});
