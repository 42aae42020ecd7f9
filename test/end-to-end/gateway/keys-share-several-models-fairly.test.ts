import { writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatBackendUrl } from '../../../health/backend.ts';
import { tokensOf } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { postOf } from '../../harness/raw-request.ts';
import { newFolder } from '../../harness/start-deployment.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const secretOf = (id: string) => `sk-${id}-0123456789abcdefghijklmnopqrstuvwxyz`;
const scopes = ['inference', 'native'] as const;
const keys = keyFileText({
  flood: { secret: secretOf('flood'), scopes },
  other: { secret: secretOf('other'), scopes },
  single: { secret: secretOf('single'), scopes, limits: { concurrent: 1 } },
});

interface Held {
  readonly word: string;
  readonly response: ServerResponse;
}

/** The replicas of `a`, and the only engine of `b`. Each has one slot. */
let fakes: readonly [FakeBackend, FakeBackend, FakeBackend];
let corral: TestGateway;
/** The words of the chats, in the order in which the engines got them. */
let served: string[];
/** Those that have no response yet, by engine. */
let held: readonly [Held[], Held[], Held[]];
let clients: RawClient[];

beforeEach(async () => {
  [served, held, clients] = [[], [[], [], []], []];
  const start = (at: Held[]) =>
    startFakeBackend(
      (request, response) => {
        if (request.path === '/tokenize') return void response.end('{"tokens":[]}');
        const word = tokensOf(request);
        served.push(word);
        at.push({ word, response });
      },
      { slots: 1 },
    );
  fakes = [await start(held[0]), await start(held[1]), await start(held[2])];
  const [a, replica, b] = fakes.map(({ backend }) => formatBackendUrl(backend.address));
  const models = [
    { id: 'a', backends: [a, replica] },
    { id: 'b', backends: [b] },
  ];
  const file = join(newFolder(), 'models.json');
  writeFileSync(file, JSON.stringify({ version: 1, models }));
  const [{ backend }] = fakes;
  corral = await startTestGateway({ backend, keys, untilReady: false, env: { MODELS_FILE: file } });
  await waitFor('all engines', () => counts().capacity === 3);
});
afterEach(async () => {
  for (const { socket } of clients) socket.destroy();
  await corral.stop();
  await Promise.all(fakes.map((fake) => fake.stop()));
});

const counts = () => corral.gateway.overview.scheduler.counts;

async function send(id: string, body: object, path?: string): Promise<RawClient> {
  const client = await RawClient.connect(corral.port);
  clients.push(client);
  return client.send(postOf(body, { secret: secretOf(id), ...(path !== undefined && { path }) }));
}

/** Sends a chat and waits until it is at an engine or in line. */
async function chat(id: string, model: 'a' | 'b', word: string): Promise<void> {
  const present = () => counts().leased + counts().waiting;
  const before = present();
  await send(id, { model, messages: [{ role: 'user', content: word }] });
  await waitFor(`${word} to be at an engine or in line`, () => present() === before + 1);
}

function respond(engine: 0 | 1 | 2): void {
  const request = held[engine].shift();
  if (request === undefined) throw new Error(`engine ${engine} has no request`);
  request.response.end('{}');
}

/** The engine responds, and an engine gets the next request. */
async function finish(engine: 0 | 1 | 2): Promise<void> {
  const before = served.length;
  respond(engine);
  await waitFor('the next one', () => served.length > before);
}

describe('keys share several models fairly', () => {
  it('although one of them has filled all slots and lines', async () => {
    for (let n = 0; n < 12; n++) await chat('flood', 'a', `flood ${n}`);
    for (let n = 0; n < 4; n++) await chat('flood', 'b', `flood b${n}`);
    expect(counts()).toMatchObject({ leased: 3, waiting: 13 });
    await chat('other', 'a', 'first of a');
    await chat('other', 'b', 'first of b');
    await finish(2);
    expect(served.slice(3)).toEqual(['first of b']);
    await finish(0);
    await finish(1);
    expect(served.slice(4)).toContain('first of a');
  });

  it.each([0, 1] as const)(
    'and a key that holds no slot gets the next one of any replica (%i)',
    async (engine) => {
      for (let n = 0; n < 12; n++) await chat('flood', 'a', `flood ${n}`);
      await chat('other', 'a', 'first');
      await finish(engine);
      expect(served.slice(2)).toEqual(['first']);
    },
  );

  it('and counting tokens costs no turn in the line for answers', async () => {
    await chat('flood', 'b', 'running');
    await chat('other', 'b', 'first');
    await chat('flood', 'b', 'second');
    for (let n = 0; n < 20; n++)
      expect(
        (await (await send('other', { model: 'b', content: 'x' }, '/tokenize')).response())?.status,
      ).toBe(200);
    await finish(2);
    expect(served).toEqual(['running', 'first']);
  });

  it('and the concurrent limit of a key is one for all models', async () => {
    await chat('single', 'a', 'one');
    await chat('single', 'b', 'two');
    await chat('single', 'a', 'three');
    expect(counts()).toMatchObject({ leased: 1, waiting: 2 });
    await chat('other', 'b', 'of another key');
    await waitFor('a request at each model', () => served.length === 2);
    expect(served).toEqual(['one', 'of another key']);
    respond(2);
    await waitFor('the slot of b', () => counts().leased === 1);
    await finish(held[0].length > 0 ? 0 : 1);
    await finish(2);
    expect(served.slice(2)).toEqual(['two', 'three']);
  });
});
