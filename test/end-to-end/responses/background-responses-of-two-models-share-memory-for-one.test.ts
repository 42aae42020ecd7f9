import { expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { taleText } from '../../../cli/demo-model/tales.ts';
import { responsesClient, textOf } from '../../harness/responses-client.ts';
import { startServedModels } from '../../harness/start-served-models.ts';
import { demoModelFile } from '../../services/demo-models.ts';

it('each is answered by its model, without a key too, and the other model can go on from there', async () => {
  const limits = { memory: 3 * 1024 ** 3 };
  await using models = await startServedModels(
    {
      models: [
        { id: 'guide', path: await demoModelFile('guide'), ctx: 4096, parallel: 2, limits },
        { id: 'tales', path: await demoModelFile('tales'), ctx: 4096, parallel: 2, limits },
      ],
    },
    { STORE: 'on', MEMORY_BUDGET: '4GiB', MODEL_HOLD: '200ms' },
  );
  const client = responsesClient(models.origin, 'nobody asks for it');
  const questions = { guide: 'About keys', tales: 'Of the harbour' };
  const texts = { guide: storyText('keys'), tales: taleText('harbour') };
  const created: { id: string; model: keyof typeof texts }[] = [];
  for (const model of ['guide', 'tales', 'guide', 'tales', 'tales', 'guide'] as const) {
    const { id, status } = await client.create({ model, input: questions[model], background: true });
    expect(status).toBe('queued');
    created.push({ id, model });
  }
  for (const { id, model } of created) {
    const response = await client.untilEnded(id);
    expect([response.status, response.model, textOf(response)]).toEqual(['completed', model, texts[model]]);
  }
  const next = { model: 'tales', input: questions.tales, previous_response_id: created[0]?.id };
  expect(textOf(await client.create(next))).toBe(texts.tales);
  const refused = await client.send('POST /v1/responses', {
    model: 'no model',
    input: 'x',
    background: true,
  });
  expect([refused.status, refused.body.error.code]).toEqual([404, 'model_not_found']);
  expect(await models.deployment.status()).toMatchObject({ lastCrash: null });
});
