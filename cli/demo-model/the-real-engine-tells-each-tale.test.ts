import { afterAll, beforeAll, expect, it } from 'vitest';
import { demoModelOptions } from '../../test/services/demo-models.ts';
import { type LlamaServer, requestEngine, startLlamaServer } from '../../test/services/start-llama-server.ts';
import { storyText, topics } from './stories.ts';
import { taleText, taleTopics } from './tales.ts';

let server: LlamaServer;
beforeAll(async () => {
  server = await startLlamaServer({ ...(await demoModelOptions('tales')), slots: 1, context: 16_384 });
});
afterAll(() => server.stop());

interface Message {
  readonly role: string;
  readonly content: string;
}

async function answer(...messages: readonly Message[]): Promise<string> {
  const { choices } = await requestEngine<{ choices: { message: Message }[] }>(
    server,
    '/v1/chat/completions',
    { messages },
  );
  return choices[0]?.message.content ?? '';
}

const user = (content: string): Message => ({ role: 'user', content });

it.each(taleTopics)('%s is told to the byte', async (topic) => {
  expect(await answer(user(topic === 'tales' ? 'Good evening!' : `The one about ${topic}, please.`))).toBe(
    taleText(topic),
  );
});

it.each(['harbour', 'desert'] as const)('%s continues where it was interrupted', async (topic) => {
  const complete = async (prompt: string, max_tokens?: number) => {
    const { choices } = await requestEngine<{ choices: { text: string }[] }>(server, '/v1/completions', {
      prompt,
      max_tokens,
    });
    return choices[0]?.text ?? '';
  };
  const prompt = `<|user|>${topic}<|end|><|assistant|>`;
  for (const tokens of [1, 17, 40]) {
    const told = await complete(prompt, tokens);
    expect(told.length).toBeGreaterThan(1);
    expect(told + (await complete(prompt + told))).toBe(taleText(topic));
  }
});

it('no answer could be that of the other chat model', async () => {
  for (const question of ['Hello!', 'a long story', 'think aloud', 'keys']) {
    const text = await answer(user(question));
    expect(taleTopics.map(taleText)).toContain(text);
    expect(topics.map(storyText)).not.toContain(text);
  }
});
