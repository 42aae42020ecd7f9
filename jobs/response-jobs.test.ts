import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { GatewayClient } from '../client/gateway-client.ts';
import { storeFileName } from '../store/store.ts';
import { openTestStore } from '../test/harness/open-test-store.ts';
import { createInBackground } from '../test/harness/stored-responses.ts';
import { ResponseJobs } from './response-jobs.ts';
import { StoreGuard } from './store-guard.ts';

/** A gateway that leaves every response open; by id. */
async function startSilentGateway() {
  const asked = new Map<string, ServerResponse>();
  const server = createServer((incoming, response) => {
    asked.set(String(incoming.headers['x-corral-response']), response);
    response.once('close', () => asked.delete(String(incoming.headers['x-corral-response'])));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { asked, client: new GatewayClient({ origin: `http://127.0.0.1:${port}`, key: 'sk' }) };
}

async function start() {
  const { asked, client } = await startSilentGateway();
  const opened = await openTestStore();
  const { store } = opened;
  const stopping = new AbortController();
  const log = pino({ enabled: false });
  const guard = new StoreGuard(log, stopping.signal, () => {});
  const update = () => jobs.update(store.responses.open());
  const jobs = new ResponseJobs({
    ...{ store, guard, log, gateway: client, maxReplays: 1 },
    ...{ stopping: stopping.signal, onFree: update },
  });
  onTestFinished(async () => {
    stopping.abort();
    jobs.stop();
    await jobs.ended();
    await client.close();
    await opened[Symbol.asyncDispose]();
  });
  const create = (owner: string, model = 'demo') => createInBackground(store, 'hi', { owner, model }).id;
  const untilAsked = (...ids: readonly string[]) =>
    expect.poll(() => [...asked.keys()].sort()).toEqual([...ids].sort());
  /** As a disk may damage it. */
  const damage = (sql: string) => {
    using db = new DatabaseSync(join(opened.folder, storeFileName));
    db.exec(sql);
  };
  return { asked, store, jobs, update, create, untilAsked, damage };
}

it('each key has as many at the gateway as a model has slots, and one more, the oldest first', async () => {
  const { asked, jobs, update, create, untilAsked } = await start();
  const [first, second, third] = [create('app'), create('app'), create('app')];
  const [other, elsewhere] = [create('other'), create('app', 'another')];
  jobs.setSlots(1);
  update();
  await untilAsked(first, second, other, elsewhere);

  const response = { id: first, object: 'response', status: 'completed', output: [] };
  const event = { type: 'response.completed', response, sequence_number: 2 };
  asked
    .get(first)
    ?.writeHead(200, { 'content-type': 'text/event-stream' })
    .end(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  await untilAsked(second, third, other, elsewhere);
});

it('what is cancelled is cut off', async () => {
  const { store, update, create, untilAsked } = await start();
  const [first, second] = [create('app'), create('other')];
  update();
  await untilAsked(first, second);
  store.responses.cancel('app', first);
  update();
  await untilAsked(second);
});

it('further ones begin when the slots are known, not when the first has ended', async () => {
  const { jobs, update, create, untilAsked } = await start();
  const [first, second, third] = [create('app'), create('app'), create('app')];
  update();
  await untilAsked(first);
  jobs.setSlots(2);
  await untilAsked(first, second, third);
});

it.each([
  ['object', "UPDATE responses SET object = CAST('{' AS BLOB)"],
  ['event', "UPDATE response_events SET content = CAST('{' AS BLOB)"],
])('a response with a damaged %s on disk fails', async (_, sql) => {
  const { asked, store, update, create, untilAsked, damage } = await start();
  const id = create('app');
  store.responses.appendEvents(id, [{ sequence: 0, text: 'event: response.created\n\n' }]);
  damage(sql);
  update();
  await untilAsked(id);
  const error = { code: 'content_unreadable', message: 'It was damaged.' };
  asked.get(id)?.writeHead(500, { 'x-should-retry': 'false' }).end(JSON.stringify({ error }));
  await expect.poll(() => store.responses.open()).toEqual([]);
  expect(store.responses.get('app', id)?.object).toMatchObject({
    ...{ id, object: 'response', model: 'demo', status: 'failed', output: [] },
    error: { code: 'server_error', message: 'It was damaged.' },
  });
});
