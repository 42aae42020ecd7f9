import { expect, it } from 'vitest';
import { RawClient } from '../../harness/raw-client.ts';
import { testerSecret } from '../../harness/start-gateway.ts';
import { fileForm, startStoreGateway } from '../../harness/start-store-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const MB = 1024 ** 2;
const size = 40 * MB;

async function startDownload(env: Readonly<Record<string, string>>) {
  const server = await startStoreGateway(env);
  const form = fileForm(new Uint8Array(size).fill(0x78), { purpose: 'batch' });
  const { id } = (await server.send('POST /v1/files', { body: form })).body;
  const client = await RawClient.connect(server.corral.port);
  client.socket.pause();
  client.send(
    `GET /v1/files/${id}/content HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${testerSecret}\r\n\r\n`,
  );
  const line = () => server.corral.logged.findLast(({ path }) => String(path).endsWith('/content'));
  return { server, client, line };
}

it('a client that pauses gets all of a file', async () => {
  const { server, client, line } = await startDownload({ STREAM_IDLE_TIMEOUT: '1h' });
  let read = 0;
  client.socket.removeAllListeners('data').on('data', (chunk) => {
    read += chunk.length;
  });
  await waitFor(
    'the download to pause',
    () => client.socket.readableLength > 0 || client.socket.bytesRead > 0,
  );
  expect(line()).toBeUndefined();
  client.socket.resume();
  await waitFor('all of it', () => read > size);
  await waitFor('its log line', line);
  expect(line()).toMatchObject({ status: 200, bytes: size });
  client.socket.destroy();
  await server[Symbol.asyncDispose]();
});

it('a client that reads nothing for STREAM_IDLE_TIMEOUT is disconnected', async () => {
  const { server, client, line } = await startDownload({ STREAM_IDLE_TIMEOUT: '300ms' });
  await waitFor('its log line', line);
  expect(line()).toMatchObject({ clientGone: true });
  expect(line()?.bytes).toBeLessThan(size);
  client.socket.destroy();
  await server[Symbol.asyncDispose]();
});
