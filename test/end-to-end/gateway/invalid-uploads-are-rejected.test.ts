import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { keyFileText } from '../../harness/key-file-text.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { testerSecret } from '../../harness/start-gateway.ts';
import { fileForm, type StoreGateway, startStoreGateway } from '../../harness/start-store-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const MiB = 1024 ** 2;
const batch = { purpose: 'batch' };

let server: StoreGateway;
beforeAll(async () => {
  server = await startStoreGateway({ MAX_FILE_SIZE: '1MiB', STORE_MAX_SIZE_PER_KEY: '2MiB' });
});
afterAll(() => server[Symbol.asyncDispose]());
/** Whatever was wrong with it, nothing of an upload is left. */
afterEach(async () => {
  await waitFor('the upload to be removed', () => server.contents().length === 0);
  expect(server.corral.gateway.bodyBudget.bytes).toBe(0);
  expect((await server.send('GET /v1/files')).body.data).toEqual([]);
});

async function expectError(
  response: Promise<unknown>,
  status: number,
  code: string,
  param: string | null = null,
) {
  expect(await response).toMatchObject({
    status,
    body: { error: { code, param, message: expect.stringMatching(/\S/), type: expect.any(String) } },
  });
}

const upload = (form: FormData) => server.send('POST /v1/files', { body: form });

describe('an upload is rejected', () => {
  it.each([
    ['an unknown purpose', { purpose: 'batches' }, 'purpose'],
    ['no purpose', {}, 'purpose'],
    [
      'an expiry of 10 minutes',
      { ...batch, 'expires_after[anchor]': 'created_at', 'expires_after[seconds]': '600' },
      'expires_after.seconds',
    ],
    [
      'an expiry of 31 days',
      { ...batch, 'expires_after[anchor]': 'created_at', 'expires_after[seconds]': '2678400' },
      'expires_after.seconds',
    ],
    ['an expiry without anchor', { ...batch, 'expires_after[seconds]': '3600' }, 'expires_after.anchor'],
    [
      'an expiry without seconds',
      { ...batch, 'expires_after[anchor]': 'created_at' },
      'expires_after.seconds',
    ],
  ])('with %s', async (_, fields, param) => {
    await expectError(upload(fileForm('x', fields)), 400, 'invalid_value', param);
    await expectError(upload(fileForm('x', fields, { fileFirst: true })), 400, 'invalid_value', param);
  });

  it('if the file is empty', () => expectError(upload(fileForm('', batch)), 400, 'empty_file', 'file'));

  it('if there is no file', async () => {
    const form = new FormData();
    form.append('purpose', 'batch');
    await expectError(upload(form), 400, 'invalid_form');
  });

  it('if it is no form', async () => {
    await expectError(server.send('POST /v1/files', { json: batch }), 415, 'unsupported_media_type');
    await expectError(server.send('POST /v1/files', { body: 'x' }), 415, 'unsupported_media_type');
    const headers = { 'content-type': 'multipart/form-data' };
    await expectError(server.send('POST /v1/files', { body: 'x', headers }), 400, 'invalid_form');
  });

  it('if it is cut off', async () => {
    const type = 'multipart/form-data; boundary=B';
    const body = '--B\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nline';
    await expectError(
      server.send('POST /v1/files', { body, headers: { 'content-type': type } }),
      400,
      'invalid_form',
    );
  });

  it('if it is compressed', async () => {
    const headers = { 'content-type': 'multipart/form-data; boundary=B', 'content-encoding': 'gzip' };
    await expectError(server.send('POST /v1/files', { body: 'x', headers }), 415, 'unsupported_media_type');
  });

  it('without its length', async () => {
    await using client = await RawClient.connect(server.corral.port);
    client.send(
      `POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${testerSecret}\r\nContent-Type: multipart/form-data; boundary=B\r\n\r\n`,
    );
    expect((await client.response())?.status).toBe(411);
  });
});

describe('a file above MAX_FILE_SIZE', () => {
  it('is rejected by its announced length, before it arrives', async () => {
    await using client = await RawClient.connect(server.corral.port);
    client.send(
      `POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${testerSecret}\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: ${300 * MiB}\r\n\r\n`,
    );
    const response = await client.response();
    expect(response?.status).toBe(413);
    expect(JSON.parse(response?.body ?? '').error).toMatchObject({
      code: 'file_too_large',
      param: 'file',
      message: expect.stringContaining(`${MiB} bytes`),
    });
    await client.closed();
  });

  it.each([true, false])(
    'is rejected where it is found, and its client gets the error (with a length: %s)',
    async (hasLength) => {
      const form = fileForm(new Uint8Array(MiB + 1), batch);
      if (hasLength) return expectError(upload(form), 413, 'file_too_large', 'file');
      const { headers, body } = new Request('http://x', { method: 'POST', body: form });
      const response = await fetch(`${server.corral.origin}/v1/files`, {
        method: 'POST',
        headers: { ...Object.fromEntries(headers), authorization: `Bearer ${testerSecret}` },
        body,
        duplex: 'half',
      } as RequestInit);
      expect([response.status, ((await response.json()) as { error: { code: string } }).error.code]).toEqual([
        413,
        'file_too_large',
      ]);
    },
  );

  it('is no problem for a file of exactly that size', async () => {
    const { status, body } = await upload(fileForm(new Uint8Array(MiB), batch));
    expect([status, body.bytes]).toEqual([200, MiB]);
    await server.send(`DELETE /v1/files/${body.id}`);
  });
});

it('a key that has used up its space gets 413 with the limit, and may upload again after it has deleted', async () => {
  const full = new Uint8Array(MiB);
  const ids: string[] = [];
  for (let n = 0; n < 2; n++) ids.push((await upload(fileForm(full, batch))).body.id);
  const { status, body } = await upload(fileForm('x', batch));
  expect([status, body.error.code]).toEqual([413, 'key_storage_full']);
  expect(body.error.message).toContain(`${2 * MiB} bytes (STORE_MAX_SIZE_PER_KEY)`);
  await server.send(`DELETE /v1/files/${ids[0]}`);
  const { body: again } = await upload(fileForm('x', batch));
  for (const id of [ids[1], again.id]) expect((await server.send(`DELETE /v1/files/${id}`)).status).toBe(200);
});

it('a full store is a 507 that no client retries', async () => {
  await using small = await startStoreGateway({ STORE_MAX_SIZE: '1000' });
  const { status, body, headers } = await small.send('POST /v1/files', {
    body: fileForm('x'.repeat(2000), batch),
  });
  expect([status, body.error.code, headers.get('x-should-retry')]).toEqual([507, 'store_full', 'false']);
  expect(body.error.message).toContain('1000 bytes (STORE_MAX_SIZE)');
  expect(small.contents()).toEqual([]);
});

describe('of an upload that its client does not finish', () => {
  const head = [
    `POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${testerSecret}`,
    'Content-Type: multipart/form-data; boundary=B\r\nContent-Length: 100000\r\n\r\n',
  ].join('\r\n');
  const begin = '--B\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n';

  it('nothing is left when the client leaves', async () => {
    await using client = await RawClient.connect(server.corral.port);
    client.send(head + begin + 'x'.repeat(50_000));
    await waitFor('the upload to begin', () => server.contents().length === 1);
    client.socket.destroy();
    await waitFor('its end', () => server.contents().length === 0);
    const line = () => server.corral.logged.findLast(({ path }) => path === '/v1/files');
    await waitFor('its log line', () => line()?.clientGone);
  });

  it.each([
    ['sends nothing', ''],
    ['sends single bytes', 'x'],
  ])('nothing is left when the client %s for CLIENT_HEADER_TIMEOUT', async (_, drop) => {
    await using slow = await startStoreGateway({
      CLIENT_HEADER_TIMEOUT: '300ms',
      CLIENT_BODY_MIN_RATE: '1KiB',
    });
    await using client = await RawClient.connect(slow.corral.port);
    client.send(head + begin + 'x'.repeat(50_000));
    await waitFor('the upload to begin or end', () => slow.contents().length === 1 || client.text !== '');
    while (client.text === '') {
      client.send(drop);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const response = await client.response();
    expect([response?.status, JSON.parse(response?.body ?? '').error.code]).toEqual([408, 'request_timeout']);
    await client.closed();
    expect(slow.contents()).toEqual([]);
  });

  it('nothing is left when an operator cancels it', async () => {
    const ops = 'sk-ops-0123456789abcdefghijklmnopqrstuvwxyz0123';
    const keys = keyFileText({
      tester: { secret: testerSecret, scopes: ['batch'] },
      ops: { secret: ops, scopes: ['admin'] },
    });
    await using cancelled = await startStoreGateway({}, keys);
    await using client = await RawClient.connect(cancelled.corral.port);
    client.send(head.replace('\r\n\r\n', '\r\nx-request-id: up\r\n\r\n') + begin + 'x'.repeat(50_000));
    await waitFor('the upload to begin', () => cancelled.contents().length === 1);
    const listed = await cancelled.send('GET /admin/requests', { secret: ops });
    expect(listed.body.requests).toMatchObject([{ id: 'up', path: '/v1/files', key: 'tester' }]);
    expect((await cancelled.send('DELETE /admin/requests/up', { secret: ops })).status).toBe(200);
    expect((await client.response())?.status).toBe(403);
    expect(cancelled.contents()).toEqual([]);
  });

  it('nothing is left when the server stops, and its client is told to try again', async () => {
    const stopped = await startStoreGateway({ DRAIN_TIMEOUT: '1h' });
    await using client = await RawClient.connect(stopped.corral.port);
    client.send(head + begin + 'x'.repeat(50_000));
    await waitFor('the upload to begin', () => stopped.contents().length === 1);
    const stopping = stopped.corral.gateway.stop();
    const response = await client.response();
    expect([response?.status, JSON.parse(response?.body ?? '').error.code]).toEqual([503, 'draining']);
    await stopping;
    expect(stopped.contents()).toEqual([]);
    await stopped[Symbol.asyncDispose]();
  });
});

it('uploads take part in the limit for bodies in memory, and one always fits', async () => {
  const env = { MAX_REQUEST_BODIES_SIZE: '1', MAX_REQUEST_BODY_SIZE: '1000' };
  await using small = await startStoreGateway(env);
  const type = 'Content-Type: multipart/form-data; boundary=B';
  await using client = await RawClient.connect(small.corral.port);
  client.send(
    `POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${testerSecret}\r\n${type}\r\nContent-Length: 100\r\n\r\n`,
  );
  await waitFor('the upload to begin', () => small.corral.gateway.bodyBudget.bytes > 0);
  const { status, body } = await small.send('POST /v1/files', { body: fileForm('x', batch) });
  expect([status, body.error.code]).toEqual([429, 'rate_limit_exceeded']);
  client.socket.destroy();
  await waitFor('its end', () => small.corral.gateway.bodyBudget.bytes === 0);
  expect((await small.send('POST /v1/files', { body: fileForm('x', batch) })).status).toBe(200);
});
