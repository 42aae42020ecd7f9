import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { echo } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { testerSecret } from '../../harness/start-gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../../harness/start-gateway-process.ts';
import { batchKeys } from '../../harness/start-store-gateway.ts';
import { type TemporaryFolder, temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';

const MB = 1024 ** 2;
const size = 60 * MB;
const allowance = 50;

let folder: TemporaryFolder;
let backend: FakeBackend;
let corral: GatewayProcess;
beforeAll(async () => {
  folder = await temporaryFolder();
  backend = await startFakeBackend(echo);
  writeFileSync(join(folder.path, 'keys.json'), batchKeys, { mode: 0o600 });
  const env = { DATA_DIR: folder.path, STORE: 'on', GPU_METRICS: 'off' };
  corral = await startGatewayProcess(backend.backend, env, { asChild: true });
  // So that what is loaded and compiled once does not count.
  await upload(8 * MB).then(download);
  await createMessageBatch(8 * MB);
});
afterAll(async () => {
  await corral[Symbol.asyncDispose]();
  await backend.stop();
  await folder[Symbol.asyncDispose]();
});

const authorization = `Bearer ${testerSecret}`;

/** The most memory that the gateway has had, in MB. */
function peakMegabytes(): number {
  const status = readFileSync(`/proc/${corral.process.pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}

/** A body of so many bytes that is made while it is sent. */
function streamed(pieces: Iterable<Buffer>): RequestInit {
  return { method: 'POST', body: ReadableStream.from(pieces), duplex: 'half' } as RequestInit;
}

interface Sent {
  readonly id: string;
  readonly digest: string;
}

async function upload(bytes: number): Promise<Sent> {
  const digest = createHash('sha256');
  function* form() {
    yield Buffer.from('--B\r\ncontent-disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n');
    for (let sent = 0; sent < bytes; sent += MB) {
      const piece = randomBytes(MB);
      digest.update(piece);
      yield piece;
    }
    yield Buffer.from('\r\n--B\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--B--\r\n');
  }
  const headers = { authorization, 'content-type': 'multipart/form-data; boundary=B' };
  const response = await fetch(`${corral.origin}/v1/files`, { ...streamed(form()), headers });
  const { id, bytes: stored } = (await response.json()) as { id: string; bytes: number };
  expect([response.status, stored]).toEqual([200, bytes]);
  return { id, digest: digest.digest('hex') };
}

async function download({ id, digest }: Sent): Promise<void> {
  const response = await fetch(`${corral.origin}/v1/files/${id}/content`, { headers: { authorization } });
  const received = createHash('sha256');
  for await (const piece of response.body ?? []) received.update(piece);
  expect(received.digest('hex')).toBe(digest);
}

async function createMessageBatch(bytes: number): Promise<void> {
  const content = 'x'.repeat(10_000);
  const count = Math.ceil(bytes / content.length);
  function* body() {
    yield Buffer.from('{"requests":[');
    for (let n = 0; n < count; n++) {
      const params = { model: 'm', max_tokens: 5, messages: [{ role: 'user', content }] };
      yield Buffer.from(`${n === 0 ? '' : ','}${JSON.stringify({ custom_id: `${n}`, params })}`);
    }
    yield Buffer.from(']}');
  }
  const headers = { authorization, 'content-type': 'application/json' };
  const response = await fetch(`${corral.origin}/v1/messages/batches`, { ...streamed(body()), headers });
  expect([response.status, await response.json()]).toMatchObject([200, { type: 'message_batch' }]);
}

it('60 MB are uploaded and downloaded, and the gateway has hardly more memory than before', async () => {
  const before = peakMegabytes();
  const sent = await upload(size);
  await download(sent);
  expect(peakMegabytes() - before).toBeLessThan(allowance);
});

it('a client that stops reading does not make the gateway read ahead', async () => {
  const sent = await upload(size);
  const before = peakMegabytes();
  await using client = await RawClient.connect(Number(new URL(corral.origin).port));
  client.socket.pause();
  client.send(
    `GET /v1/files/${sent.id}/content HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n\r\n`,
  );
  let [same, last] = [0, 0];
  await waitFor('the download to pause', () => {
    same = client.socket.bytesRead === last && last > 0 ? same + 1 : 0;
    last = client.socket.bytesRead;
    return same >= 20;
  });
  expect(last).toBeLessThan(size);
  expect(peakMegabytes() - before).toBeLessThan(allowance);
});

it('60 MB of requests become a message batch in the same way', async () => {
  const before = peakMegabytes();
  await createMessageBatch(size);
  expect(peakMegabytes() - before).toBeLessThan(allowance);
});
