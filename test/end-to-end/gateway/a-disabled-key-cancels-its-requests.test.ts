import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { delta, startStream } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { requestGateway } from '../../harness/request-gateway.ts';
import { runCorral } from '../../harness/run-corral.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const secretOf = (id: string) => `sk-${id}-0123456789abcdefghijklmnopqrstuvwxyz0123`;
const ids = ['finishes', 'disabled', 'removed', 'rotated', 'other'] as const;

let fake: FakeBackend;
let corral: TestGateway;
let streams: ServerResponse[] = [];
beforeAll(async () => {
  fake = await startFakeBackend(
    (_, response) => {
      startStream(response).write(delta('one'));
      streams.push(response);
    },
    { slots: 2 },
  );
  corral = await startTestGateway({
    backend: fake.backend,
    keys: keyFileText(Object.fromEntries(ids.map((id) => [id, { secret: secretOf(id) }]))),
    // A command takes long on a busy machine.
    env: { STREAM_KEEPALIVE: '1h', QUEUE_TIMEOUT: '1h' },
  });
});
afterAll(async () => {
  await corral.stop();
  await fake.stop();
});
beforeEach(async () => {
  streams = [];
  await gatewayIsIdle(corral, fake);
});

/** `corral keys …` as a process beside the running gateway. */
const corralKeys = (...args: string[]) => runCorral(['keys', ...args, '--file', corral.keyFile]);

const until = (id: string, status: number) =>
  waitFor(`${status} for "${id}"`, async () => {
    const response = await requestGateway(corral.origin, 'GET /v1/models', secretOf(id));
    return response.status === status;
  });

/** A running stream and a queued request of the key, and a stream of another key. */
async function busyKey(id: string) {
  const clients = await Promise.all([1, 2, 3].map(() => RawClient.connect(corral.port)));
  const [stream, bystander, waiter] = clients;
  if (!stream || !bystander || !waiter) throw new Error('three clients were to be connected');
  const chatRequest = (fields: object, key: string) =>
    postOf(chatOf('hello', fields), { secret: secretOf(key) });
  await stream.send(chatRequest({ stream: true }, id)).receives('one');
  await bystander.send(chatRequest({ stream: true }, 'other')).receives('one');
  waiter.send(chatRequest({}, id));
  await waitFor('one to be queued', () => corral.gateway.scheduler.counts.waiting === 1);
  return { stream, bystander, waiter };
}

it('disabling a key rejects its new requests and lets running ones finish', async () => {
  const { stream, bystander, waiter } = await busyKey('finishes');
  const disabled = await corralKeys('disable', 'finishes');
  expect(disabled.stderr).toBe('Key "finishes" disabled.');
  await until('finishes', 401);
  const end = `${delta('two')}data: [DONE]\n\n`;
  for (const open of streams) open.end(end);
  expect((await stream.response())?.body).toBe(delta('one') + end);
  expect((await bystander.response())?.body).toBe(delta('one') + end);
  await waitFor('the queued request to be served', () => streams.length === 3);
  waiter.reset();
});

describe.each([
  ['disabled', ['disable', 'disabled', '--now']],
  ['removed', ['remove', 'removed', '--now', '--yes']],
  ['rotated', ['rotate', 'rotated', '--now']],
])('a key %s now', (id, args) => {
  it('cancels its running and queued requests, and no request of another key', async () => {
    const { stream, bystander, waiter } = await busyKey(id);
    const command = corralKeys(...args);
    const response = await stream.response();
    expect(response?.body.startsWith(delta('one'))).toBe(true);
    expect(JSON.parse(response?.body.slice(`${delta('one')}data: `.length) ?? '').error.code).toBe(
      'request_cancelled',
    );
    const rejected = await waiter.response();
    expect([rejected?.status, JSON.parse(rejected?.body ?? '').error.code]).toEqual([
      403,
      'request_cancelled',
    ]);
    expect((await command).status).toBe(0);
    await until(id, 401);
    // The lease of the cancelled stream is returned once the engine has released its slot.
    await waitFor('the other key alone to hold a lease', () => corral.gateway.scheduler.counts.leased === 1);
    expect(corral.gateway.scheduler.counts.waiting).toBe(0);
    for (const open of streams) open.end('data: [DONE]\n\n');
    expect((await bystander.response())?.body).toBe(`${delta('one')}data: [DONE]\n\n`);
  });

  it('leaves the key file as the command reports', async () => {
    const { keys } = JSON.parse(readFileSync(corral.keyFile, 'utf8'));
    const left = keys.find((key: { id: string }) => key.id === id);
    if (id === 'removed') expect(left).toBeUndefined();
    else if (id === 'rotated') expect(left).toMatchObject({ disabled: false, cutOff: true, previous: null });
    else expect(left).toMatchObject({ disabled: true, cutOff: true });
  });
});

it('a key that was rotated now works with its new secret', async () => {
  const { stdout: secret } = await corralKeys('rotate', 'rotated', '--now', '--quiet');
  await waitFor('the new secret to work', async () => {
    const response = await requestGateway(corral.origin, 'GET /v1/models', secret);
    return response.status === 200;
  });
  const client = await RawClient.connect(corral.port);
  await client.send(postOf(chatOf('hello', { stream: true }), { secret })).receives('one');
  const reloads = () => corral.logged.filter(({ msg }) => msg === 'API keys reloaded').length;
  const before = reloads();
  await corralKeys('update', 'rotated', '--note', 'was leaked');
  await waitFor('the file to be read', () => reloads() > before);
  for (const open of streams) open.end('data: [DONE]\n\n');
  expect((await client.response())?.body).toBe(`${delta('one')}data: [DONE]\n\n`);
});

it('a key works again once it is enabled', async () => {
  await corralKeys('enable', 'disabled');
  await until('disabled', 200);
  const { stream, bystander, waiter } = await busyKey('disabled');
  for (const open of streams) open.end('data: [DONE]\n\n');
  expect((await stream.response())?.body).toBe(`${delta('one')}data: [DONE]\n\n`);
  for (const client of [bystander, waiter]) client.reset();
});
