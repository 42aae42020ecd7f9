import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { taleText } from '../../../cli/demo-model/tales.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { type ServedModels, startServedModels } from '../../harness/start-served-models.ts';
import { type TemporaryFolder, temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { demoModelFile } from '../../services/demo-models.ts';

const secret = 'sk-ops-0123456789abcdefghijklmnopqrstuvwxyz0123';
const headers = { 'x-api-key': secret };
const memory = 3 * 1024 ** 3;

let folder: TemporaryFolder;
let models: ServedModels;

/** Memory for one of them; `guide` is loaded, and is not unloaded for `tales`, whose requests wait. */
const write = async (guide: object, tales: object = {}) => {
  models.write(await fileWith(guide, tales));
};
const fileWith = async (guide: object, tales: object) => ({
  models: [
    {
      id: 'guide',
      path: await demoModelFile('guide'),
      parallel: 2,
      ctx: 16384,
      limits: { memory, ...guide },
    },
    { id: 'tales', path: await demoModelFile('tales'), parallel: 2, limits: { memory, ...tales } },
  ],
});

beforeAll(async () => {
  folder = await temporaryFolder();
  const keys = keyFileText({ ops: { secret, scopes: ['admin', 'inference'] } });
  writeFileSync(folder.file('keys.json'), keys, { mode: 0o600 });
  models = await startServedModels(await fileWith({}, {}), {
    ...{ AUTH_ENABLED: 'true', AUTH_KEYS_FILE: folder.file('keys.json') },
    ...{ MEMORY_BUDGET: '4GiB', MODEL_HOLD: '1h', QUEUE_TIMEOUT: '1h' },
  });
  await models.deployment.reachesStatus('ready');
  expect(await textOf(post('guide', 'About keys'))).toBe(storyText('keys'));
});
afterAll(async () => {
  await models?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

const post = (model: string, content: string, fields: object = {}, signal?: AbortSignal) =>
  fetch(`${models.origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model, messages: [{ role: 'user', content }], temperature: 0, ...fields }),
    ...(signal && { signal }),
  });

async function textOf(response: Promise<Response>): Promise<string | undefined> {
  const { choices } = (await (await response).json()) as { choices?: { message: { content: string } }[] };
  return choices?.[0]?.message.content;
}

/** The status and the code of an error; of a request that waits, nothing: its client leaves. */
async function errorOf(model: string, content: string): Promise<readonly [number?, (string | undefined)?]> {
  const response = await post(model, content, {}, AbortSignal.timeout(500)).catch(() => undefined);
  if (response === undefined) return [];
  const { error } = (await response.json()) as { error?: { code: string } };
  return [response.status, error?.code];
}

interface Shown {
  readonly id: string;
  readonly slots: { readonly total: number };
  readonly queue: { readonly waiting: number };
  readonly memory: number;
}

async function shown(id: string): Promise<Shown> {
  const response = await fetch(`${models.origin}/admin/models`, { headers });
  const { models: all } = (await response.json()) as { models: readonly Shown[] };
  const found = all.find((model) => model.id === id);
  if (found === undefined) throw new Error(`no model ${id}`);
  return found;
}

describe('with the engine that is loaded', () => {
  let pids: readonly number[];
  beforeEach(() => {
    pids = models.pidsOf('guide');
    return async () => {
      expect(models.pidsOf('guide')).toEqual(pids);
      expect(await models.model('guide')).toMatchObject({ loads: 1, unloads: 0, status: 'loaded' });
    };
  });

  it('the number of requests at a time changes', async () => {
    await waitFor('its slots', async () => (await shown('guide')).slots.total === 2);
    await write({ concurrent: 1 });
    await waitFor('the limit', async () => (await shown('guide')).slots.total === 1);
    await write({});
    await waitFor('its end', async () => (await shown('guide')).slots.total === 2);
  });

  it('the time of a request changes', async () => {
    await write({ requestTimeout: '20ms' });
    await waitFor('the limit', async () => {
      const [status, code] = await errorOf('guide', 'A long story');
      return status === 504 && code === 'request_timeout';
    });
    await write({ requestTimeout: 0 });
    const whole = storyText('long story');
    await waitFor('its end', async () => (await textOf(post('guide', 'A long story'))) === whole);
  });

  it('the memory that is set aside changes', async () => {
    expect((await models.model('guide')).memory).toBe(memory);
    await write({ memory: 2 * memory });
    await waitFor('a file that cannot be used', () => models.deployment.output().includes('stay in use'));
    expect((await models.model('guide')).memory).toBe(memory);
    await write({ memory: memory / 2 });
    await waitFor('the change', async () => (await models.model('guide')).memory === memory / 2);
    await write({});
    await waitFor('its end', async () => (await models.model('guide')).memory === memory);
  });
});

it('the queue and the longest wait change, and the requests that wait stay', async () => {
  const waiting = async () => (await shown('tales')).queue.waiting;
  await write({}, { queueSize: 1 });
  const sent = [post('tales', 'Of the harbour')];
  await waitFor('the first', async () => (await waiting()) === 1);
  // While a model is loaded, this is also the error of a full queue.
  const isRejected = async () => (await errorOf('tales', 'x'))[1] === 'model_loading';
  await waitFor('the limit', isRejected);
  await write({}, { queueSize: 2 });
  await waitFor('the second', async () => {
    sent.push(post('tales', 'Of the harbour'));
    return (await waiting()) === 2;
  });
  await write({}, { queueSize: 10 });
  await waitFor('room in the queue', async () => !(await isRejected()));
  await write({}, { queueSize: 10, queueTimeout: '50ms' });
  await waitFor('the longest wait', isRejected);
  expect(await waiting()).toBe(2);
  await fetch(`${models.origin}/admin/models/guide/unload`, { method: 'POST', headers });
  const responses = await Promise.all(sent);
  const served = responses.filter(({ status }) => status === 200);
  expect(await Promise.all(served.map((response) => textOf(Promise.resolve(response))))).toEqual([
    taleText('harbour'),
    taleText('harbour'),
  ]);
});
