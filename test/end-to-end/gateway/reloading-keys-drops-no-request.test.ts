import { writeFileSync } from 'node:fs';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatBackendUrl } from '../../../health/backend.ts';
import { echo, tokensOf } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { chatOf } from '../../harness/raw-request.ts';
import { requestGateway } from '../../harness/request-gateway.ts';
import { startTestGateway, testerSecret } from '../../harness/start-gateway.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';

const opsSecret = 'sk-ops-0123456789abcdefghijklmnopqrstuvwxyz0123';
const newSecret = 'sk-new-0123456789abcdefghijklmnopqrstuvwxyz0123';
const knownKeys = {
  tester: { secret: testerSecret },
  ops: { secret: opsSecret, scopes: ['admin'] },
} as const;
const keys = keyFileText(knownKeys);
const keysWithNew = keyFileText({ ...knownKeys, new: { secret: newSecret } });

let fakeBackend: FakeBackend;
beforeAll(async () => {
  fakeBackend = await startFakeBackend(echo);
});
afterAll(() => fakeBackend.stop());

const statusOf = async (origin: string, secret: string) =>
  (await requestGateway(origin, 'GET /v1/models', secret)).status;

describe('POST /reload', () => {
  it('reads the key file at once', async () => {
    await using corral = await startTestGateway({ backend: fakeBackend.backend, keys });
    writeFileSync(corral.keyFile, keysWithNew);
    const { status, body } = await requestGateway(corral.origin, 'POST /reload', opsSecret);
    expect([status, body]).toEqual([200, { status: 'ok', keys_loaded: 3, warnings: [] }]);
    expect(await statusOf(corral.origin, newSecret)).toBe(200);
  });

  it('reports the keys that it left out', async () => {
    await using corral = await startTestGateway({
      backend: fakeBackend.backend,
      keys,
      env: { API_KEYS: 'short:abc' },
    });
    const { body } = await requestGateway(corral.origin, 'POST /reload', opsSecret);
    expect(body).toEqual({
      status: 'ok',
      keys_loaded: 2,
      warnings: [expect.stringMatching(/^API_KEYS, entry 1 is skipped: the secret must be/)],
    });
  });

  it('keeps the previous keys if the file is invalid, and reports it', async () => {
    await using corral = await startTestGateway({ backend: fakeBackend.backend, keys });
    const health = async () => (await requestGateway(corral.origin, 'GET /health', undefined)).body.keys;
    expect(await health()).toEqual({ problem: false });
    writeFileSync(corral.keyFile, keys.replace('"disabled": false', '"disabled": "no"'));
    const { status, body } = await requestGateway(corral.origin, 'POST /reload', opsSecret);
    expect([status, body.error]).toEqual([
      422,
      {
        code: 'key_file_unusable',
        type: 'invalid_request_error',
        param: null,
        message: expect.stringMatching(/keys\[0\]\.disabled \(key "tester"\): .* remain valid\.$/),
      },
    ]);
    expect(await statusOf(corral.origin, testerSecret)).toBe(200);
    expect(await health()).toEqual({ problem: true });
    const shown = await requestGateway(corral.origin, 'GET /admin/keys', opsSecret);
    expect(shown.body.problem).toMatch(/keys\[0\]\.disabled/);
    expect(corral.logged.some(({ msg }) => /keys\[0\]\.disabled/.test(String(msg)))).toBe(true);
    writeFileSync(corral.keyFile, keys);
    expect((await requestGateway(corral.origin, 'POST /reload', opsSecret)).status).toBe(200);
    expect(await health()).toEqual({ problem: false });
  });
});

it('many reloads under load drop no request and mix up no keys', async () => {
  fakeBackend.scenario = (request, response) =>
    setTimeout(() => echo(request, response), tokensOf(request).length % 5);
  await using corral = await startTestGateway({ backend: fakeBackend.backend, keys });
  const turns = { sent: 0, reloads: 0 };
  const isOver = () => turns.sent >= 600 && turns.reloads > 20;
  const responses = new Map<string, string>();
  const client = async () => {
    while (!isOver()) {
      const word = `word-${turns.sent++}`;
      const response = await fetch(`${corral.origin}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${testerSecret}`, 'content-type': 'application/json' },
        body: JSON.stringify(chatOf(word)),
      });
      responses.set(word, `${response.status} ${await response.text()}`);
    }
  };
  const operator = async () => {
    while (!isOver()) {
      turns.reloads += 1;
      writeFileSync(corral.keyFile, [keysWithNew, 'broken {', keys][turns.reloads % 3] ?? '');
      await requestGateway(corral.origin, 'POST /reload', opsSecret);
    }
  };
  await Promise.all([...Array.from({ length: 12 }, client), operator(), operator()]);
  expect(responses.size).toBeGreaterThanOrEqual(600);
  expect(
    [...responses].filter(
      ([word, response]) => !response.startsWith('200 ') || !response.includes(`"${word}"`),
    ),
  ).toEqual([]);
});

it('SIGHUP reloads the key file, valid or not, and the gateway keeps running', async () => {
  await using folder = await temporaryFolder();
  const keyFile = folder.file('keys.json');
  writeFileSync(keyFile, keys, { mode: 0o600 });
  const program = new URL('../../../gateway/main.ts', import.meta.url).pathname;
  await using gateway = Object.assign(
    execa(process.execPath, [program], {
      all: true,
      reject: false,
      extendEnv: false,
      env: {
        PATH: process.env.PATH,
        PORT: '0',
        LOG_FORMAT: 'json',
        DATA_DIR: folder.path,
        BACKEND_URL: formatBackendUrl(fakeBackend.backend.address),
      },
    }),
    { [Symbol.asyncDispose]: async () => void gateway.kill('SIGKILL') },
  );
  let printed = '';
  gateway.all.on('data', (text) => {
    printed += text;
  });
  const lines = (pattern: RegExp) => printed.match(pattern)?.length ?? 0;
  await waitFor('the gateway to listen', () => lines(/gateway listens/g));
  await waitFor('the backend to be ready', () => lines(/backend is ready/g));
  const origin = `http://127.0.0.1:${/gateway listens on port (\d+)/.exec(printed)?.[1]}`;
  writeFileSync(keyFile, keysWithNew);
  gateway.kill('SIGHUP');
  await waitFor('the new keys', () => lines(/"keys":3,"msg":"API keys reloaded on SIGHUP"/g));
  expect(await statusOf(origin, newSecret)).toBe(200);
  writeFileSync(keyFile, 'broken {');
  for (let n = 0; n < 20; n++) gateway.kill('SIGHUP');
  await waitFor('the problem', () => lines(/the keys loaded before remain valid/g));
  expect(await statusOf(origin, newSecret)).toBe(200);
});
