import { once } from 'node:events';
import { createServer, request as forward, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { formatEvent } from '../../../sse/sse.ts';
import { delta, silent, startStream } from '../../fakes/scenarios.ts';
import { type BackendScenario, type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

/** How often the proxy checks for new bytes, ms, and how many checks without any it allows. */
const [CHECK_INTERVAL, MAX_CHECKS] = [100, 5];
/** How long the engine is silent, ms: longer than the proxy allows. */
const SILENCE = 1300;

let fake: FakeBackend;
let corral: TestGateway;
let proxy: Server;
let baseURL: string;
beforeAll(async () => {
  fake = await startFakeBackend(silent);
  const env = { JSON_KEEPALIVE_AFTER: '200ms', STREAM_KEEPALIVE: '100ms' };
  corral = await startTestGateway({ backend: fake.backend, env });
  proxy = startProxy(corral.port).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  baseURL = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
});
afterAll(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await corral.stop();
  await fake.stop();
});
beforeEach(() => gatewayIsIdle(corral, fake));

/** Passes everything. Responds with 504 or disconnects when its upstream has been silent for too long. */
function startProxy(port: number): Server {
  return createServer((incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    const upstream = forward({ port, host: '127.0.0.1', method, path, headers }, (response) => {
      outgoing.writeHead(response.statusCode ?? 500, response.headers);
      response.pipe(outgoing);
    });
    const giveUp = () => {
      upstream.destroy();
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(504).end();
    };
    // It shares this process with the gateway. If that pauses, so do its checks.
    let emptyChecks = 0;
    let seen = 0;
    const checking = setInterval(() => {
      const read = upstream.socket?.bytesRead ?? 0;
      emptyChecks = read > seen ? 0 : emptyChecks + 1;
      seen = read;
      if (emptyChecks > MAX_CHECKS) giveUp();
    }, CHECK_INTERVAL);
    outgoing.once('close', () => clearInterval(checking));
    upstream.on('error', () => outgoing.destroy());
    incoming.pipe(upstream);
  });
}

/** A chat stream that is silent for a while before its first event. */
const respondAfterSilence: BackendScenario = (_, response) => {
  setTimeout(() => {
    const finish = { choices: [{ index: 0, finish_reason: 'stop', delta: {} }] };
    startStream(response).end(delta('At last.') + formatEvent(finish) + formatEvent('[DONE]'));
  }, SILENCE);
};

it('a chat of the OpenAI SDK completes', async () => {
  fake.scenario = respondAfterSilence;
  const openai = new OpenAI({ baseURL: `${baseURL}/v1`, apiKey: corral.secret, maxRetries: 0 });
  const completion = await openai.chat.completions.create({
    model: 'm',
    messages: [{ role: 'user', content: 'x' }],
  });
  expect(completion.choices[0]?.message).toEqual({ role: 'assistant', content: 'At last.' });
});

it('a message of the Anthropic SDK completes', async () => {
  fake.scenario = (_, response) => {
    const events = [
      {
        type: 'message_start',
        message: { id: 'm', type: 'message', role: 'assistant', content: [], usage: {} },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'At last.' } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 3 } },
      { type: 'message_stop' },
    ];
    const text = events.map((event) => formatEvent(event, event.type)).join('');
    setTimeout(() => startStream(response).end(text), SILENCE);
  };
  const anthropic = new Anthropic({ baseURL, apiKey: corral.secret, maxRetries: 0 });
  const messages = [{ role: 'user' as const, content: 'x' }];
  const message = await anthropic.messages.create({ model: 'm', max_tokens: 90, messages });
  expect(message.content).toEqual([{ type: 'text', text: 'At last.' }]);
});

it('embeddings, which the backend itself sends as JSON, complete', async () => {
  fake.scenario = (_, response) => {
    const list = { object: 'list', data: [{ object: 'embedding', index: 0, embedding: [1, 2] }] };
    setTimeout(
      () => response.setHeader('content-type', 'application/json').end(JSON.stringify(list)),
      SILENCE,
    );
  };
  const openai = new OpenAI({ baseURL: `${baseURL}/v1`, apiKey: corral.secret, maxRetries: 0 });
  const { data } = await openai.embeddings.create({ model: 'm', input: 'x', encoding_format: 'float' });
  expect(data[0]?.embedding).toEqual([1, 2]);
});

it('an error after the headers were sent is the error object in place of the response', async () => {
  let fail = () => {};
  fake.scenario = (_, response) => {
    const error = { code: 400, message: 'no', type: 'invalid_request_error' };
    fail = () => response.writeHead(400).end(JSON.stringify({ error }));
  };
  await using client = await RawClient.connect(corral.port);
  client.send(postOf(chatOf('hello')));
  await waitFor('five keep-alives', () => client.text.split('1\r\n\n\r\n').length > 5);
  fail();
  const result = await client.response();
  expect(result?.status).toBe(200);
  expect(result?.headers['content-type']).toBe('application/json; charset=utf-8');
  expect(result?.body).toMatch(/^\n{5,}\{/);
  expect(JSON.parse(result?.body ?? '').error).toMatchObject({ message: 'no', code: 'invalid_value' });
});

it('a fast response keeps its status and its content length', async () => {
  fake.scenario = (_, response) => response.setHeader('content-type', 'application/json').end('{"a":1}');
  await using corral = await startTestGateway({ backend: fake.backend });
  await using client = await RawClient.connect(corral.port);
  const result = await client.send(postOf(chatOf('hello'))).response();
  expect(result).toMatchObject({ status: 200, body: '{"a":1}', headers: { 'content-length': '7' } });
});
