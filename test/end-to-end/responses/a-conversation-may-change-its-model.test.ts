import { afterAll, beforeAll, expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { taleText } from '../../../cli/demo-model/tales.ts';
import { type ServedModels, startServedModels } from '../../harness/start-served-models.ts';
import { demoModelFile } from '../../services/demo-models.ts';

let models: ServedModels;
beforeAll(async () => {
  const [guide, tales] = [await demoModelFile('guide'), await demoModelFile('tales')];
  const targets = [{ model: 'guide', weight: 1 }];
  models = await startServedModels(
    {
      models: [
        { id: 'guide', path: guide, pin: true, parallel: 2, ctx: 8192 },
        { id: 'tales', path: tales, pin: true, parallel: 2, ctx: 8192 },
      ],
      aliases: [{ name: 'latest', targets }],
    },
    { STORE: 'on' },
  );
  await models.deployment.reachesStatus('ready');
});
afterAll(() => models?.[Symbol.asyncDispose]());

it('each response of a conversation may be by another model, also by an alias, and on the path without /v1', async () => {
  const ask = async (path: string, model: string, input: string, fields: object = {}) => {
    const response = await models.post(path, { model, input, temperature: 0, ...fields });
    // biome-ignore lint/suspicious/noExplicitAny: a response or an error
    const body = (await response.json()) as any;
    expect(response.status, JSON.stringify(body)).toBe(200);
    return { id: body.id, model: body.model, text: body.output[0].content[0].text };
  };
  const first = await ask('/v1/responses', 'latest', 'keys');
  expect(first).toMatchObject({ model: 'guide', text: storyText('keys') });
  const second = await ask('/responses', 'tales', 'desert', { previous_response_id: first.id });
  expect(second).toMatchObject({ model: 'tales', text: taleText('desert') });
  const third = await ask('/v1/responses', 'latest', 'limits', { previous_response_id: second.id });
  expect(third).toMatchObject({ model: 'guide', text: storyText('limits') });
  const items = await fetch(`${models.origin}/responses/${third.id}/input_items?order=asc`);
  const { data } = (await items.json()) as { data: { content: { text: string }[] }[] };
  expect(data.map(({ content }) => content[0]?.text)).toEqual([
    ...['keys', first.text, 'desert', second.text, 'limits'],
  ]);
});
