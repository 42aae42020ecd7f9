import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testerSecret } from '../../harness/start-gateway.ts';
import { otherSecret, type StoreGateway, startStoreGateway } from '../../harness/start-store-gateway.ts';
import { noResponses } from '../../harness/stored-responses.ts';

const requests = [{ custom_id: 'one', params: {} }];
let server: StoreGateway;
let file: string;
let batch: string;
let messageBatch: string;
beforeAll(async () => {
  server = await startStoreGateway();
  file = await server.upload('{"custom_id":"secret"}\n');
  batch = await server.createBatch({ inputFileId: file });
  messageBatch = (await server.send('POST /v1/messages/batches', { json: { requests } })).body.id;
});
afterAll(() => server[Symbol.asyncDispose]());

/** The same response, but for the id and what is new in each. */
function withoutIds({ status, text }: { status: number; text: string }): string {
  return `${status} ${text.replace(/(?:file-|batch_)\w+/g, 'ID').replace(/"request_id":"[^"]*"/, '')}`;
}

it.each([
  'GET /v1/files/FILE',
  'GET /v1/files/FILE/content',
  'DELETE /v1/files/FILE',
  'GET /v1/files?after=FILE',
  'GET /v1/batches/BATCH',
  'POST /v1/batches/BATCH/cancel',
  'GET /v1/batches?after=BATCH',
  'GET /v1/messages/batches/MESSAGES',
  'GET /v1/messages/batches/MESSAGES/results',
  'POST /v1/messages/batches/MESSAGES/cancel',
  'DELETE /v1/messages/batches/MESSAGES',
  'GET /v1/messages/batches?after_id=MESSAGES',
  'GET /v1/messages/batches?before_id=MESSAGES',
])('%s responds to another key as if there were none', async (request) => {
  const none = '0'.repeat(32);
  const fill = (ids: readonly [string, string, string]) =>
    request.replace('FILE', ids[0]).replace('BATCH', ids[1]).replace('MESSAGES', ids[2]);
  const foreign = await server.send(fill([file, batch, messageBatch]), { secret: otherSecret });
  const unknown = await server.send(fill([`file-${none}`, `batch_${none}`, `msgbatch_${none}`]), {
    secret: otherSecret,
  });
  expect(withoutIds(foreign)).toBe(withoutIds(unknown));
  expect([400, 404]).toContain(foreign.status);
});

it.each(['GET /v1/files', 'GET /v1/batches', 'GET /v1/messages/batches'])(
  '%s does not list what belongs to another key',
  async (request) => {
    expect((await server.send(request, { secret: otherSecret })).body.data).toEqual([]);
    expect((await server.send(request)).body.data).not.toEqual([]);
  },
);

it('a batch cannot read the file of another key', async () => {
  const json = { input_file_id: file, endpoint: '/v1/chat/completions', completion_window: '24h' };
  const { status, body } = await server.send('POST /v1/batches', { json, secret: otherSecret });
  expect([status, body.error.code]).toEqual([404, 'file_not_found']);
});

it('an Idempotency-Key belongs to one key', async () => {
  const create = async (secret: string) => {
    const json = {
      input_file_id: await server.upload('x', { secret }),
      ...{ endpoint: '/v1/chat/completions', completion_window: '24h' },
    };
    return server.send('POST /v1/batches', { json, secret, headers: { 'idempotency-key': 'same' } });
  };
  const [one, two] = [await create(testerSecret), await create(otherSecret)];
  expect([one.status, two.status]).toEqual([200, 200]);
  expect(one.body.id).not.toBe(two.body.id);
});

it('nothing of the other key was touched', async () => {
  expect((await server.send(`GET /v1/files/${file}/content`)).text).toBe('{"custom_id":"secret"}\n');
  expect((await server.send(`GET /v1/batches/${batch}`)).body.status).toBe('validating');
  expect((await server.send(`GET /v1/messages/batches/${messageBatch}`)).body.processing_status).toBe(
    'in_progress',
  );
});

describe('without authentication', () => {
  it('all clients share their files', async () => {
    await using open = await startStoreGateway({ AUTH_ENABLED: 'false' });
    const id = await open.upload('x', { secret: 'sk-one' });
    expect((await open.send(`GET /v1/files/${id}/content`, { secret: '' })).text).toBe('x');
    expect(open.openStore().usage('')).toEqual({ files: 1, ...noResponses, bytes: 1 });
  });
});
