import { writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cancelCommand, requestsCommand } from '../../../cli/deployment/requests.ts';
import { reloadCommand, restartCommand } from '../../../cli/deployment/restart.ts';
import { statusCommand } from '../../../cli/deployment/status.ts';
import { delta, startStream } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { runInProcess } from '../../harness/run-corral.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const [app, ops] = ['sk-app-0123456789abcdef', 'sk-ops-0123456789abcdef'];
const env = { CORRAL_API_KEY: ops, OPENAI_API_KEY: undefined };
const streams: ServerResponse[] = [];

let fake: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fake = await startFakeBackend((_, response) => {
    startStream(response).write(delta('one'));
    streams.push(response);
  });
  const keys = keyFileText({ app: { secret: app }, ops: { secret: ops, scopes: ['admin'] } });
  corral = await startTestGateway({ backend: fake.backend, keys });
});
afterAll(async () => {
  await corral.stop();
  await fake.stop();
});

const gateway = () => ['--gateway', corral.origin] as const;

it('corral status shows the status without a key', async () => {
  const { status, stdout } = await runInProcess(statusCommand(), gateway(), {
    CORRAL_API_KEY: undefined,
    OPENAI_API_KEY: undefined,
  });
  expect(stdout).toMatch(
    /^status +ready\nmodel +\S+\nllama-server +ready \(changed .*\)\nslots +0 of \d+ busy\n/,
  );
  expect(status).toBe(0);
  const other = await runInProcess(statusCommand(), ['--gateway', `${corral.origin}/docs`], {});
  expect([other.status, other.stderr]).toEqual([1, expect.stringContaining('is no gateway')]);
});

it('corral requests lists a request, and corral cancel ends it', async () => {
  const none = await runInProcess(requestsCommand(), gateway(), env);
  expect([none.stdout, none.stderr]).toEqual(['', 'No requests in progress.']);
  await using client = await RawClient.connect(corral.port);
  await client.send(postOf(chatOf('hello', { stream: true }), { secret: app })).receives('one');
  const listed = await runInProcess(requestsCommand(), gateway(), env);
  const [, row = ''] = listed.stdout.split('\n');
  expect(row).toMatch(/^\S+ +app .*\/v1\/chat\/completions +running /);
  const [id = ''] = row.split(' ');
  const cancelled = await runInProcess(cancelCommand(), [id, ...gateway()], env);
  expect(cancelled).toMatchObject({ status: 0, stderr: `Cancelled the request "${id}".` });
  expect((await client.response())?.body).toContain('request_cancelled');
  await waitFor('the end of the request', () => corral.gateway.scheduler.counts.leased === 0);
  const again = await runInProcess(cancelCommand(), [id, ...gateway()], env);
  expect([again.status, again.stderr]).toEqual([1, expect.stringContaining('No request with the id')]);
});

it('corral reload says what the gateway uses and what is wrong with the file', async () => {
  const fine = await runInProcess(reloadCommand(), gateway(), env);
  expect(fine).toMatchObject({ status: 0, stderr: 'The gateway uses 2 keys.' });
  await writeFile(corral.keyFile, '{"version":1,"keys":[{"id":"app"}]}');
  const broken = await runInProcess(reloadCommand(), gateway(), env);
  expect([broken.status, broken.stderr]).toEqual([1, expect.stringContaining('keys[0].fingerprint')]);
});

it.each([[[]], [['CTX=8192']], [['CTX=8192', 'PARALLEL=']]])(
  'corral restart %j explains why it cannot',
  async (changes) => {
    const alone = await runInProcess(restartCommand(), [...changes, ...gateway()], env);
    expect([alone.status, alone.stderr]).toEqual([1, expect.stringContaining('HTTP 501')]);
  },
);

it('corral restart takes variables only', async () => {
  const wrong = await runInProcess(restartCommand(), ['ctx', ...gateway()], env);
  expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining('It must be like CTX=8192.')]);
});

it.each([
  [{ ...env, CORRAL_API_KEY: app }, "lacks the scope 'admin'"],
  [{ ...env, CORRAL_API_KEY: undefined }, 'pass it with --key-file or CORRAL_API_KEY'],
])('a key that may not is explained', async (less, message) => {
  const { status, stderr } = await runInProcess(requestsCommand(), gateway(), less);
  expect([status, stderr]).toEqual([1, expect.stringContaining(message)]);
});

it.each([
  '',
  'nope',
  '127.0.0.1:8000',
  'localhost:8000',
  'ftp://host',
  'http://',
  'http://me:pw@host',
  'http://host?x',
])('a gateway that is no URL is wrong use: %j', async (url) => {
  for (const command of [statusCommand(), requestsCommand(), reloadCommand()]) {
    const { status, stderr } = await runInProcess(command, ['--gateway', url], env);
    expect([status, stderr]).toEqual([2, expect.stringContaining('such as http://127.0.0.1:8000')]);
  }
});
