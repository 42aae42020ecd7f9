import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { storyText, type Topic } from '../../../cli/demo-model/stories.ts';
import { writeDemoAdapter } from '../../harness/demo-adapter.ts';
import { newFolder, type RunningDeployment, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const folder = newFolder();
const file = (name: string) => join(folder, `${name}.gguf`);
const streams = file('streams');
const long = file('long');
let deployment: RunningDeployment;

/** An adapter that llama-server cannot load, as its tensors fit no layer. */
const broken = file('broken');

function writeModels(adapters: Readonly<Record<string, string>>): void {
  const demo = { path: inject('demoModel'), ctx: 4096, parallel: 2 };
  const models = [
    { id: 'a', ...demo, adapters },
    { id: 'b', ...demo, adapters: { broken } },
  ];
  const aliases = [{ name: 'latest', targets: [{ model: 'a:long' }] }];
  const path = join(folder, 'data', 'models.json');
  writeFileSync(`${path}.new`, JSON.stringify({ version: 1, models, aliases }));
  renameSync(`${path}.new`, path);
}

beforeAll(async () => {
  mkdirSync(join(folder, 'data'));
  writeDemoAdapter(streams, 'keys', 'streams');
  writeDemoAdapter(long, 'keys', 'long story');
  writeDemoAdapter(broken, 'keys', 'streams', 'llama', 'blk.7.attn_v.weight');
  writeModels({ streams, long });
  deployment = await startDeployment({
    folder,
    real: { engine: inject('engine'), model: '' },
    env: { MODEL_PATH: '', MAX_REQUESTS_PER_MINUTE: '0' },
  });
  await deployment.reachesStatus('ready');
});
afterAll(() => deployment[Symbol.asyncDispose]());

async function ask(model: string) {
  const response = await fetch(`http://127.0.0.1:${deployment.gatewayPort}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-0123456789abcdef', 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ model, temperature: 0, max_tokens: 12 },
      messages: [{ role: 'user', content: 'keys' }],
    }),
  });
  const body = (await response.json()) as {
    model?: string;
    choices?: { message: { content: string } }[];
    error?: { code: string };
  };
  const text = body.choices?.[0]?.message.content ?? '';
  return { code: body.error?.code, model: body.model, alias: response.headers.get('x-corral-alias'), text };
}

const stories: Readonly<Record<string, Topic>> = {
  a: 'keys',
  'a:streams': 'streams',
  'a:long': 'long story',
};

async function expectRight(model: string): Promise<void> {
  const { text, ...rest } = await ask(model);
  expect(rest).toEqual({ code: undefined, model, alias: null });
  expect([text.length > 20, storyText(stories[model] ?? 'welcome').startsWith(text)]).toEqual([true, true]);
}

it('an adapter is loaded with its model, and an alias may stand for it', async () => {
  for (const model of Object.keys(stories)) await expectRight(model);
  const { text, ...rest } = await ask('latest');
  expect(rest).toEqual({ code: undefined, model: 'a:long', alias: 'latest' });
  expect(storyText('long story').startsWith(text)).toBe(true);
  expect((await ask('a:none')).code).toBe('model_not_found');
});

it('a change of the adapters never answers with another one', async () => {
  const children = deployment.children().length;
  writeModels({ long, extra: streams, streams });
  await waitFor('the new adapter', async () => {
    for (const model of ['a:streams', 'a:long', 'a']) await expectRight(model);
    const { code, text } = await ask('a:extra');
    if (code !== undefined) {
      expect(['model_not_found', 'model_loading']).toContain(code);
      return false;
    }
    return storyText('streams').startsWith(text);
  });
  expect(deployment.children().length).toBe(children);
});

it('an adapter that cannot be loaded fails its model alone', async () => {
  expect((await ask('b:broken')).code).toBe('model_failed');
  const { models = [] } = await deployment.status();
  expect(models.find(({ id }) => id === 'b')).toMatchObject({ status: 'failed', failure: 'bad-model' });
  await expectRight('a:streams');
});
