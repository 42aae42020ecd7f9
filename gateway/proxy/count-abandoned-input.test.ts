import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeEach, expect, it } from 'vitest';
import type { BackendMonitor } from '../../health/backend-monitor.ts';
import { waitFor } from '../../test/harness/wait-for.ts';
import type { ApiRequest } from '../api/parse-request-body.ts';
import { apiRoutes } from '../api/route-table.ts';
import { Quarantine } from '../scheduler/quarantine.ts';
import { AbandonedInputCounter } from './count-abandoned-input.ts';

const [chat] = apiRoutes;
if (chat?.countPath === undefined) throw new Error('chats are counted');
const context = 512;
const request = (input: number): ApiRequest => ({
  model: undefined,
  stream: true,
  weight: 1,
  estimate: { input, inputs: 1, output: undefined, completions: 1 },
  body: Buffer.alloc(input * 4, 'x'),
});

/** Counts that the backend has not answered yet. */
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
  const watch = { status: 'ready', props: { contextPerSlot: context } } as unknown as BackendMonitor;
  const suspects = new Quarantine({
    isBackendUp: async () => true,
    maxReplays: 3,
    reportsKills: () => false,
    onBlocked: () => {},
  });
  abandoned = new AbandonedInputCounter({
    backend,
    watch,
    ended: new AbortController().signal,
    quarantine: suspects,
  });
  return () => {
    server.closeAllConnections();
    server.close();
    held.length = 0;
  };
});
async function answer(tokens: number): Promise<void> {
  await waitFor('the question', () => held.length > 0);
  held.shift()?.end(JSON.stringify({ input_tokens: tokens }));
}

it('tells what the backend counts where it does so soon', async () => {
  const { soon, correction } = abandoned.count(chat, request(100));
  await answer(93);
  expect([await soon, await correction]).toEqual([93, 0]);
});

it('tells an estimate after a second, and corrects it when the count is there', async () => {
  const counted = [100, 40].map((input) => abandoned.count(chat, request(input)));
  expect(await Promise.all(counted.map(({ soon }) => soon))).toEqual([100, 40]);
  await answer(93);
  await answer(55);
  expect(await Promise.all(counted.map(({ correction }) => correction))).toEqual([-7, 15]);
});

it('tells no more than fits, and nothing once it is known that it did not', async () => {
  const { soon, correction } = abandoned.count(chat, request(10_000));
  expect(await soon).toBe(context);
  await answer(9000);
  expect(await correction).toBe(-context);
});

it('keeps to the estimate where the backend cannot say', async () => {
  const { soon, correction } = abandoned.count(chat, request(100));
  await waitFor('the question', () => held.length > 0);
  held.shift()?.destroy();
  expect([await soon, await correction]).toEqual([100, 0]);
});
