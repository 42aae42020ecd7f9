import { renameSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseEvents } from '../../../sse/sse.ts';
import { type FakeModel, type FakeSupervisor, fakeSupervisor } from '../../fakes/fake-supervisor.ts';
import { delta, echo, isForStream, startStream } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { chatTextIn } from '../../harness/request-events.ts';
import { newFolder } from '../../harness/start-deployment.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const guide = { id: 'guide', path: '/m/guide.gguf' };
const tales = { id: 'tales', path: '/m/tales.gguf' };
const changed = { ...tales, ctx: 1024, limits: { queueTimeout: '30m' } };
const latest = { name: 'latest', targets: [{ model: 'tales' }] };

let file: string;
let fakes: { readonly guide: FakeBackend; readonly tales: FakeBackend };
let supervisor: FakeSupervisor;
let corral: TestGateway;
let streams: ServerResponse[];

beforeEach(async () => {
  file = join(newFolder(), 'models.json');
  streams = [];
  const start = () =>
    startFakeBackend((request, response) => {
      if (isForStream(request)) streams.push(startStream(response));
      else echo(request, response);
    });
  fakes = { guide: await start(), tales: await start() };
  supervisor = fakeSupervisor();
});
afterEach(async () => {
  await corral.stop();
  await Promise.all([fakes.guide.stop(), fakes.tales.stop()]);
});

function write(...models: readonly object[]): void {
  const aliases = models.length > 1 ? [latest] : [];
  writeFileSync(`${file}.new`, JSON.stringify({ version: 1, models, aliases }));
  renameSync(`${file}.new`, file);
}

/** What the supervisor knows of `tales`; without it, nothing. */
function report(state?: Partial<FakeModel>): void {
  supervisor.report({
    guide: fakes.guide,
    ...(state !== undefined && { tales: { ...fakes.tales, ...state } }),
  });
}

async function startGateway(): Promise<void> {
  corral = await startTestGateway({
    ...{ backend: fakes.guide.backend, untilReady: false, parent: supervisor.channel },
    env: { MODELS_FILE: file, QUEUE_TIMEOUT: '1h', STRICT_MODEL: 'true' },
  });
}

async function startWithBoth(): Promise<void> {
  write(guide, tales);
  await startGateway();
  report({});
  await waitFor('both models', async () => (await ask('guide')) === 200 && (await ask('tales')) === 200);
}

function post(model: string, fields: object = {}): Promise<Response> {
  const body = { ...fields, model, messages: [{ role: 'user', content: 'x' }] };
  return fetch(`${corral.origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${corral.secret}` },
    body: JSON.stringify(body),
  });
}

async function ask(model: string): Promise<number> {
  const response = await post(model);
  await response.text();
  return response.status;
}

/** Whether clients are told of `tales`. */
async function isListed(): Promise<boolean> {
  const response = await fetch(`${corral.origin}/v1/models`, {
    headers: { authorization: `Bearer ${corral.secret}` },
  });
  return (await response.text()).includes('"id":"tales"');
}

/** Requests to the model and to its alias, which have no response yet. `statuses` resolves when they have. */
async function askAndWait(): Promise<{ readonly statuses: Promise<number[]> }> {
  const statuses = Promise.all(['tales', 'latest'].map(ask));
  await waitFor('both to be in line', () => supervisor.waiting('tales') === 2);
  return { statuses };
}

/** A model that is not loaded, or is about to be unloaded, as the gateway sees it, too. */
async function unload(state?: Partial<FakeModel>): Promise<void> {
  fakes.tales.health = 503;
  report(state);
}

async function load(): Promise<void> {
  fakes.tales.health = 200;
  report({});
}

describe.each([
  ['as it was', tales],
  ['with other settings', changed],
])('a model that is removed and comes back %s', (_, returned) => {
  it('costs a wait if the supervisor learns of the removal after the return', async () => {
    await startWithBoth();
    write(guide);
    await waitFor('the removal', async () => (await ask('tales')) === 404);
    write(guide, returned);
    await waitFor('the return', async () => (await ask('tales')) === 200);
    report({ removed: true, pause: true });
    const { statuses } = await askAndWait();
    await unload();
    expect(await ask('guide')).toBe(200);
    await unload({ status: 'unloaded' });
    await unload({ status: 'loading' });
    await load();
    expect(await statuses).toEqual([200, 200]);
  });

  it('costs a wait if the supervisor learns of all before the gateway', async () => {
    await startWithBoth();
    report({ removed: true, pause: true });
    const { statuses } = await askAndWait();
    await unload();
    write(guide, returned);
    await unload({ status: 'unloaded' });
    await load();
    expect(await statuses).toEqual([200, 200]);
  });

  it('ends no stream of before', async () => {
    await startWithBoth();
    const responding = post('latest', { stream: true });
    const [stream] = await waitFor('the stream', () => streams.length > 0 && streams);
    stream?.write(delta('one '));
    const response = await responding;
    write(guide);
    await waitFor('the removal', async () => (await ask('tales')) === 404);
    report({ removed: true, pause: true });
    write(guide, returned);
    report({ pause: true });
    await waitFor('the return', isListed);
    const { statuses } = await askAndWait();
    expect(supervisor.received.filter(({ kind }) => kind === 'engine-drained')).toEqual([]);
    stream?.end(`${delta('two')}data: [DONE]\n\n`);
    expect(chatTextIn(parseEvents(await response.text()))).toBe('one two');
    await waitFor('the engine to be free', () =>
      supervisor.received.some(({ kind }) => kind === 'engine-drained'),
    );
    await load();
    expect(await statuses).toEqual([200, 200]);
  });
});

it('a model that does not come back is unknown to those that wait for it, too', async () => {
  await startWithBoth();
  report({ removed: true, pause: true });
  const { statuses } = await askAndWait();
  await unload();
  write(guide);
  expect(await statuses).toEqual([404, 404]);
});

const isBusy = () => supervisor.received.some(({ kind }) => kind === 'busy');

describe('requests to a gateway that has just started wait', () => {
  it('for the first message of the supervisor', async () => {
    write(guide, tales);
    await startGateway();
    const asked = ['tales', 'guide', 'latest'].map(ask);
    await waitFor('a request', isBusy);
    report({});
    expect(await Promise.all(asked)).toEqual([200, 200, 200]);
  });

  it('for a model that the supervisor has yet to learn of', async () => {
    write(guide, tales);
    await startGateway();
    report();
    const asked = ['tales', 'latest'].map(ask);
    await waitFor('a request', isBusy);
    report({});
    expect(await Promise.all(asked)).toEqual([200, 200]);
  });
});
