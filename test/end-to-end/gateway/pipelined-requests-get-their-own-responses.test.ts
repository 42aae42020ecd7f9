import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { echo, isForStream, tokensOf } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { readResponses } from '../../fuzz/targets/read-responses.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

let fakeBackend: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fakeBackend = await startFakeBackend(echo);
  const env = { MAX_QUEUE_PER_KEY: '100' };
  corral = await startTestGateway({ backend: fakeBackend.backend, env });
});
afterAll(async () => {
  await corral.stop();
  await fakeBackend.stop();
});
beforeEach(() => {
  fakeBackend.scenario = echo;
});

const contentOf = (body: string | undefined) => JSON.parse(body ?? '').choices[0].message.content;

it('pipelined requests get their responses in order, although the second is finished first', async () => {
  const held: (() => void)[] = [];
  fakeBackend.scenario = (request, response) => {
    if (tokensOf(request) === 'slow') held.push(() => echo(request, response));
    else echo(request, response);
  };
  await using client = await RawClient.connect(corral.port);
  client.send(postOf(chatOf('slow')) + postOf(chatOf('quick')));
  await waitFor('both to arrive', () =>
    fakeBackend.received.some((request) => tokensOf(request) === 'quick'),
  );
  expect(client.text).toBe('');
  for (const release of held) release();
  expect(contentOf((await client.response())?.body)).toBe('slow');
  expect(contentOf((await client.response())?.body)).toBe('quick');
  await gatewayIsIdle(corral, fakeBackend);
});

it('an error, a stream, a list and a JSON response arrive in order on one connection', async () => {
  fakeBackend.scenario = (request, response) => {
    if (!isForStream(request)) return echo(request, response);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`data: ${JSON.stringify(tokensOf(request))}\n\ndata: [DONE]\n\n`);
  };
  await using client = await RawClient.connect(corral.port);
  client.send(
    postOf('{"broken"') +
      postOf(chatOf('streamed', { stream: true })) +
      `GET /v1/models HTTP/1.1\r\nHost: x\r\nx-api-key: ${corral.secret}\r\n\r\n` +
      postOf(chatOf('unknown'), { secret: 'sk-unknown' }) +
      postOf(chatOf('good')),
  );
  const responses = [];
  for (let n = 0; n < 5; n++) responses.push(await client.response());
  expect(responses.map((response) => response?.status)).toEqual([400, 200, 200, 401, 200]);
  expect(responses[1]?.body).toBe('data: "streamed"\n\ndata: [DONE]\n\n');
  expect(JSON.parse(responses[2]?.body ?? '').data[0].id).toBe('fake-model');
  expect(contentOf(responses[4]?.body)).toBe('good');
  expect(new Set(responses.map((response) => response?.headers['x-request-id'])).size).toBe(5);
});

it('invalid bytes after a valid request do not affect its response', async () => {
  const held: (() => void)[] = [];
  fakeBackend.scenario = (request, response) => void held.push(() => echo(request, response));
  await using client = await RawClient.connect(corral.port);
  client.send(`${postOf(chatOf('good'))}rubbish\r\n\r\n`);
  await waitFor('the request to arrive or the connection to close', () => held.length > 0 || client.isClosed);
  for (const release of held) release();
  const result = await client.response();
  if (result) expect(contentOf(result.body)).toBe('good');
  await client.closed();
  await gatewayIsIdle(corral, fakeBackend);
});

it('a request that arrives in single bytes is served', async () => {
  await using client = await RawClient.connect(corral.port);
  for (const byte of Buffer.from(postOf(chatOf('smäll')))) {
    await new Promise((resolve) => client.socket.write(Buffer.of(byte), resolve));
  }
  expect(contentOf((await client.response())?.body)).toBe('smäll');
});

it('a hundred pipelined requests on one connection get their own responses', async () => {
  await using client = await RawClient.connect(corral.port);
  const prompts = Array.from({ length: 100 }, (_, n) => `word ${n}`);
  client.send(prompts.map((word) => postOf(chatOf(word))).join(''));
  for (const word of prompts) expect(contentOf((await client.response())?.body)).toBe(word);
});

it('100 Continue comes before its own response and behind the one before, and only where a body follows', async () => {
  const list = `GET /v1/models HTTP/1.1\r\nHost: x\r\nx-api-key: ${corral.secret}\r\n`;
  const expecting = { headers: ['Expect: 100-continue'] };
  const statusesOf = async (input: string, count: number) => {
    await using client = await RawClient.connect(corral.port);
    client.send(input);
    const read = () => readResponses(client.latin1).responses;
    await waitFor('all responses', () => read().filter(({ status }) => status !== 100).length === count);
    return read().map(({ status, body }) => [status, body.includes('content')]);
  };
  expect(await statusesOf(`${list}\r\n${list}Expect: 100-continue\r\n\r\n`, 2)).toEqual([
    [200, false],
    [200, false],
  ]);
  expect(await statusesOf(postOf(chatOf('a'), expecting), 1)).toEqual([
    [100, false],
    [200, true],
  ]);
  // The body is there before its turn, or not.
  const whole = postOf(chatOf('b'), expecting);
  const statuses = await statusesOf(`${list}\r\n${whole}`, 2);
  expect(statuses.filter(([status]) => status !== 100)).toEqual([
    [200, false],
    [200, true],
  ]);
  fakeBackend.scenario = (request, response) => void setImmediate(() => echo(request, response));
  await using client = await RawClient.connect(corral.port);
  const head = whole.slice(0, whole.indexOf('\r\n\r\n') + 4);
  client.send(postOf(chatOf('c')) + head);
  await waitFor('the 100 of the second', () => client.latin1.endsWith('HTTP/1.1 100 Continue\r\n\r\n'));
  client.send(whole.slice(head.length));
  await waitFor('both', () => readResponses(client.latin1).responses.length === 3);
  expect(readResponses(client.latin1).responses.map(({ status }) => status)).toEqual([200, 100, 200]);
});
