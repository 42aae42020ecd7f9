import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { type BackgroundGateway, startBackground, textOf } from '../../harness/start-background.ts';
import { testerSecret } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { type LlamaServer, startLlamaServer } from '../../services/start-llama-server.ts';

let llama: LlamaServer;
let background: BackgroundGateway;
beforeEach(async () => {
  llama = await startLlamaServer({ slots: 2, context: 16_384 });
  background = await startBackground(llama.backend, { MAX_REQUESTS_PER_MINUTE: '8' });
});
afterEach(async () => {
  await background[Symbol.asyncDispose]();
  await llama.stop();
});

const usageToday = () => background.corral.gateway.ledger.today('tester', Date.now());

it('a request that is sent twice with one Idempotency-Key creates one response', async () => {
  const request = { model: 'demo', input: 'limits', background: true };
  const headers = { 'idempotency-key': 'once' };
  const first = await background.send('POST /v1/responses', request, headers);
  const second = await background.send('POST /v1/responses', request, headers);
  expect(second).toMatchObject({ status: 200, body: { id: first.body.id, status: 'queued' } });
  expect(background.store.responses.open()).toHaveLength(1);
  const other = await background.send('POST /v1/responses', { ...request, input: 'keys' }, headers);
  expect(other).toMatchObject({ status: 409, body: { error: { code: 'idempotency_key_reused' } } });
});

it('a conversation has one at a time, also when it is sent twice, and gets its items at the end', async () => {
  const { body: conversation } = await background.send('POST /v1/conversations', {});
  const request = {
    model: 'demo',
    temperature: 0,
    input: 'limits',
    background: true,
    conversation: conversation.id,
  };
  const headers = { 'idempotency-key': 'once' };
  const { body: first } = await background.send('POST /v1/responses', request, headers);
  expect(first.conversation).toEqual({ id: conversation.id });
  expect((await background.send('POST /v1/responses', request, headers)).body.id).toBe(first.id);
  for (const changes of [{}, { background: false }])
    expect(await background.send('POST /v1/responses', { ...request, ...changes })).toMatchObject({
      status: 400,
      body: { error: { code: 'conversation_locked' } },
    });
  expect(background.store.responses.open()).toHaveLength(1);
  {
    await using _ = background.startRunner();
    await background.ended(first.id);
  }
  const { body: items } = await background.send(`GET /v1/conversations/${conversation.id}/items?order=asc`);
  const texts = items.data.map(({ content }: { content: { text: string }[] }) => content[0]?.text);
  expect(texts).toEqual(['limits', storyText('limits')]);
  const next = await background.send('POST /v1/responses', { ...request, input: 'keys', background: false });
  expect(next.status).toBe(200);
});

it('it holds its conversation until it has ended, and no longer, however long a client follows it', async () => {
  const { id: conversation } = (await background.send('POST /v1/conversations', {})).body;
  const request = { model: 'demo', temperature: 0, input: 'keys', conversation };
  const follow = () =>
    fetch(`${background.corral.origin}/v1/responses`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${background.corral.secret}`,
        'content-type': 'application/json',
        'idempotency-key': 'once',
      },
      body: JSON.stringify({ ...request, background: true, stream: true }),
    });
  const following = await follow();
  const again = await follow();
  expect([following.status, again.status]).toEqual([200, 200]);
  const open = background.store.responses.open();
  expect(open).toHaveLength(1);
  const early = await background.send('POST /v1/responses', request);
  expect(early).toMatchObject({ status: 400, body: { error: { code: 'conversation_locked' } } });
  // As the runner ends it: the gateway that sends its events learns of it later.
  background.store.responses.cancel('tester', open[0]?.id ?? '');
  expect((await background.send('POST /v1/responses', request)).status).toBe(200);
  for (const followed of [following, again])
    expect(await followed.text()).toContain('event: response.failed');
});

it('it continues a response, and can be continued when it is complete', async () => {
  const { body: first } = await background.send('POST /v1/responses', {
    model: 'demo',
    input: 'keys',
    temperature: 0,
  });
  const second = await background.create('limits', { previous_response_id: first.id });
  expect(second.previous_response_id).toBe(first.id);
  const early = await background.send('POST /v1/responses', {
    model: 'demo',
    input: 'x',
    previous_response_id: second.id,
  });
  expect(early).toMatchObject({ status: 400, body: { error: { code: 'previous_response_not_complete' } } });
  await using _ = background.startRunner();
  const ended = await background.ended(second.id);
  expect(textOf(ended)).toBe(storyText('limits'));
  expect(ended.usage.input_tokens).toBeGreaterThan(first.usage.input_tokens + first.usage.output_tokens);
  const third = await background.send('POST /v1/responses', {
    model: 'demo',
    input: 'x',
    previous_response_id: second.id,
  });
  expect(third.status).toBe(200);
});

it('however often it breaks off, its usage is charged once, and it counts as one request', async () => {
  const { id } = await background.create('long story');
  for (let parts = 1; parts < 4; parts++) {
    const before = background.eventsOf(id).length;
    const runner = background.startRunner();
    await waitFor('a part of it', () => background.eventsOf(id).length > before + 200);
    await runner.stop();
  }
  expect(background.store.responses.get('tester', id)?.status).toBe('in_progress');
  expect(usageToday()).toMatchObject({ input: 0, output: 0 });
  await using _ = background.startRunner();
  const { usage, ...ended } = await background.ended(id);
  expect(textOf(ended as typeof ended & { id: string })).toBe(storyText('long story'));
  await waitFor('its usage', () => usageToday().output > 0);
  expect(usageToday()).toMatchObject({ input: usage.input_tokens, output: usage.output_tokens });
  const headers = await fetch(`${background.corral.origin}/v1/models`, {
    headers: { authorization: `Bearer ${testerSecret}` },
  });
  expect(headers.headers.get('x-ratelimit-remaining-requests')).toBe('7');
});

it('from all others, the headers of the runner mean nothing', async () => {
  const { id } = await background.create('limits');
  const headers = { 'x-corral-response': id, 'x-corral-on-behalf-of': 'tester' };
  const request = { model: 'demo', temperature: 0, input: 'keys' };
  const { status, body } = await background.send('POST /v1/responses', request, headers);
  expect(status).toBe(200);
  expect(body.id).not.toBe(id);
  expect(textOf(body)).toBe(storyText('keys'));
  expect(background.store.responses.get('tester', id)?.status).toBe('queued');
});

it('it fails when its key has ended', async () => {
  const { id } = await background.create('limits');
  const other = keyFileText({ other: { secret: 'sk-other-0123456789' } });
  writeFileSync(background.corral.keyFile, other);
  await background.corral.gateway.reloadKeys();
  await using _ = background.startRunner();
  const ended = await waitFor(
    'its end',
    () => {
      const response = background.store.responses.get('tester', id);
      return response?.status === 'queued' ? undefined : response;
    },
    { within: 60_000 },
  );
  expect(ended?.status).toBe('failed');
  expect(ended?.object.error).toMatchObject({
    code: 'invalid_prompt',
    message: expect.stringContaining('The key of this response'),
  });
});
