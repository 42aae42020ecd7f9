import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeEach, expect, it } from 'vitest';
import type { BackendMonitor } from '../../health/backend-monitor.ts';
import { waitFor } from '../../test/harness/wait-for.ts';
import { type ApiRequest, createFormRequest } from '../api/request/parse-request-body.ts';
import { apiRoutes } from '../api/route-table.ts';
import { Quarantine } from '../scheduler/quarantine.ts';
import { AbandonedInputCounter } from './count-tokens.ts';

const [chat] = apiRoutes;
if (chat?.countPath === undefined) throw new Error('chats are counted');
const context = 512;
const request = (input: number): ApiRequest => ({
  ...createFormRequest(Buffer.alloc(input * 4, 'x')),
  stream: true,
  estimate: { input, inputs: 1, output: undefined, completions: 1 },
});

/** Counts that the backend has not responded to yet. */
const held: ServerResponse[] = [];
let abandoned: AbandonedInputCounter;
beforeEach(async () => {
  const server = createServer((incoming, response) => {
    incoming.resume();
    held.push(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const backend = {
    address: { origin: `http://127.0.0.1:${port}`, socketPath: undefined },
    apiKey: undefined,
  };
  // The only properties that counting reads.
  const monitor = { status: 'ready', props: { contextPerSlot: context } } as unknown as BackendMonitor;
  const quarantine = new Quarantine({
    isBackendUp: async () => true,
    maxReplays: 3,
    reportsKills: () => false,
    onBlocked: () => {},
  });
  abandoned = new AbandonedInputCounter({
    backend,
    monitor,
    ended: new AbortController().signal,
    quarantine,
  });
  return () => {
    server.closeAllConnections();
    server.close();
    held.length = 0;
  };
});
async function respond(tokens: number): Promise<void> {
  await waitFor('the count request', () => held.length > 0);
  held.shift()?.end(JSON.stringify({ input_tokens: tokens }));
}

it('reports the count of the backend if that is there within a second', async () => {
  const { soon, correction } = abandoned.count(chat, request(100));
  await respond(93);
  expect([await soon, await correction]).toEqual([93, 0]);
});

it('reports an estimate after a second, and corrects it when the count is there', async () => {
  const counted = [100, 40].map((input) => abandoned.count(chat, request(input)));
  expect(await Promise.all(counted.map(({ soon }) => soon))).toEqual([100, 40]);
  await respond(93);
  await respond(55);
  expect(await Promise.all(counted.map(({ correction }) => correction))).toEqual([-7, 15]);
});

it('reports no more than the context, and nothing once it is known that the request did not fit', async () => {
  const { soon, correction } = abandoned.count(chat, request(10_000));
  expect(await soon).toBe(context);
  await respond(9000);
  expect(await correction).toBe(-context);
});

it('keeps the estimate if the backend cannot count', async () => {
  const { soon, correction } = abandoned.count(chat, request(100));
  await waitFor('the count request', () => held.length > 0);
  held.shift()?.destroy();
  expect([await soon, await correction]).toEqual([100, 0]);
});
