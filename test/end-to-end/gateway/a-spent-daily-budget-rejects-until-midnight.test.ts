import { afterAll, beforeAll, expect, it } from 'vitest';
import { noUsage, utcDay } from '../../../gateway/api/usage.ts';
import { LedgerFile, ledgerFileName } from '../../../gateway/usage/ledger-file.ts';
import { DAY } from '../../../settings/durations.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';

let fakeBackend: FakeBackend;
beforeAll(async () => {
  fakeBackend = await startFakeBackend((_, response) => {
    response
      .setHeader('content-type', 'application/json')
      .end('{"usage":{"prompt_tokens":30,"completion_tokens":20}}');
  });
});
afterAll(() => fakeBackend.stop());

const keys = keyFileText({
  thrifty: { secret: 'sk-thrifty', limits: { tokensPerDay: 100 } },
  free: { secret: 'sk-free', limits: { tokensPerDay: 0 } },
});

async function send(port: number, secret: string, path?: string) {
  await using client = await RawClient.connect(port);
  const response = await client.send(postOf(chatOf('hi'), { secret, ...(path && { path }) })).response();
  return { ...response, error: JSON.parse(response?.body || '{}').error };
}

it('a spent budget rejects the requests of its key, also after a restart', async () => {
  await using folder = await temporaryFolder();
  const begin = () => startTestGateway({ backend: fakeBackend.backend, keys, folder: folder.path });
  const first = await begin();
  expect([
    (await send(first.port, 'sk-thrifty')).status,
    (await send(first.port, 'sk-thrifty')).status,
  ]).toEqual([200, 200]);
  await waitFor(
    'both requests in the ledger',
    () => first.gateway.ledger.today('thrifty', Date.now()).requests === 2,
  );
  const rejected = await send(first.port, 'sk-thrifty');
  expect(rejected.status).toBe(429);
  expect(rejected.error).toEqual({
    message: expect.stringContaining(
      'has used 100 of its 100 tokens for today. The budget resets at midnight UTC',
    ),
    type: 'tokens',
    param: null,
    code: 'insufficient_quota',
  });
  expect(rejected.headers?.['x-should-retry']).toBe('false');
  // No wait that a client obeys would help, and some would come back each minute.
  expect(rejected.headers).not.toHaveProperty('retry-after');
  expect(rejected.headers).not.toHaveProperty('retry-after-ms');
  expect((await send(first.port, 'sk-free')).status).toBe(200);
  expect((await send(first.port, 'sk-thrifty', '/v1/messages')).error).toMatchObject({
    type: 'rate_limit_error',
  });
  await first.stop();

  await using second = await begin();
  const [thrifty, free] = await Promise.all([send(second.port, 'sk-thrifty'), send(second.port, 'sk-free')]);
  expect([thrifty.status, free.status]).toEqual([429, 200]);
});

it("yesterday's tokens do not count", async () => {
  await using folder = await temporaryFolder();
  const ledger = new LedgerFile(folder.file(ledgerFileName));
  const yesterday = utcDay(Date.now() - DAY);
  ledger.write(
    [{ keyId: 'thrifty', day: yesterday, model: '', ...noUsage, requests: 1, input: 1_000_000 }],
    [],
  );
  ledger.close();
  await using corral = await startTestGateway({ backend: fakeBackend.backend, keys, folder: folder.path });
  expect((await send(corral.port, 'sk-thrifty')).status).toBe(200);
});
