import { expect, it } from 'vitest';
import { parseEvents } from '../../../sse/sse.ts';
import { answerWithItems, outputText } from '../../fakes/responses-engine.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';

it('a response that does not fit is an error for who asked to store it, and is sent and not kept for all others', async () => {
  let output = 'x'.repeat(20_000);
  await using backend = await startFakeBackend(answerWithItems(() => [outputText(output)]));
  await using corral = await startTestGateway({
    backend: backend.backend,
    env: { STORE: 'on', STORE_MAX_SIZE: '10000' },
  });
  const request = async (path: string, fields?: object) => {
    const response = await fetch(corral.origin + path, {
      method: fields === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${corral.secret}`, 'content-type': 'application/json' },
      body: fields === undefined ? null : JSON.stringify(fields),
    });
    return { status: response.status, text: await response.text() };
  };
  const ask = async (fields: object) => {
    const { status, text } = await request('/v1/responses', { input: 'go', ...fields });
    // biome-ignore lint/suspicious/noExplicitAny: a response or an error
    return { status, body: JSON.parse(text) as any };
  };
  const stream = async (fields: object) =>
    parseEvents((await request('/v1/responses', { input: 'go', stream: true, ...fields })).text);

  const refused = { status: 507, body: { error: { code: 'store_full' } } };
  expect(await ask({ store: true })).toMatchObject(refused);
  // Requested without a stream.
  expect(await ask({ store: true, max_output_tokens: 1000, stream: false })).toMatchObject(refused);
  const failed = await stream({ store: true });
  expect(failed.map(({ type }) => type).slice(-2)).toEqual(['response.failed', 'error']);
  expect(failed.at(-1)).toMatchObject({ code: 'store_full' });
  expect(failed.map((event) => event.sequence_number)).toEqual([...failed.keys()]);

  const served = await ask({});
  expect(served).toMatchObject({ status: 200, body: { status: 'completed', store: false } });
  expect(await stream({})).toContainEqual(
    expect.objectContaining({
      type: 'response.completed',
      response: expect.objectContaining({ store: false }),
    }),
  );
  expect((await request(`/v1/responses/${served.body.id}`)).status).toBe(404);
  // Tokens were generated, and count.
  const lines = corral.logged.filter(({ error }) => error === 'store_full');
  expect(lines.map(({ status, tokensIn, tokensOut }) => [status, tokensIn, tokensOut])).toEqual([
    [507, 7, 2],
    [507, 7, 2],
    [200, 7, 2],
  ]);
  const warnings = corral.logged.filter(({ level, code }) => level === 40 && code === 'store_full');
  expect(warnings).toHaveLength(1);

  output = 'small';
  const kept = await ask({});
  expect(kept.body.store).toBe(true);
  while ((await ask({ input: 'x'.repeat(500) })).body.store);
  const before = backend.received.length;
  for (let size = 500; size > 1; size /= 2) while ((await ask({ input: 'x'.repeat(size) })).body.store);
  expect(await ask({ previous_response_id: kept.body.id })).toMatchObject(refused);
  expect(backend.received.length).toBeGreaterThan(before);
  expect(await ask({ previous_response_id: kept.body.id, store: false })).toMatchObject({ status: 200 });
  expect(JSON.parse((await request(`/v1/responses/${kept.body.id}`)).text)).toEqual(kept.body);
});

it('the error of a response that could not be stored is sent behind white space, too', async () => {
  const hold = Promise.withResolvers<void>();
  const answer = answerWithItems(() => [outputText('x'.repeat(20_000))]);
  await using backend = await startFakeBackend(async (request, response) => {
    await hold.promise;
    answer(request, response);
  });
  await using corral = await startTestGateway({
    backend: backend.backend,
    env: { STORE: 'on', STORE_MAX_SIZE: '10000', JSON_KEEPALIVE_AFTER: '1ms' },
  });
  const response = await fetch(`${corral.origin}/v1/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${corral.secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ input: 'go', store: true }),
  });
  // The head is there before the response is.
  hold.resolve();
  expect(await response.json()).toMatchObject({ error: { code: 'store_full' } });
});
