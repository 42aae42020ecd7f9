import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { chatOf } from '../../harness/raw-request.ts';
import { startDemo } from '../../harness/start-demo.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';

const words = (count: number, word: string) =>
  Array.from({ length: count }, (_, n) => `${word}${n}`).join(' ');

async function setUp(prompts: readonly object[], slots: number, context: number) {
  const folder = await temporaryFolder();
  const file = folder.file('warm.jsonl');
  writeFileSync(file, prompts.map((prompt) => JSON.stringify(prompt)).join('\n'));
  const demo = await startDemo({ llama: { slots, context }, env: { WARM_PROMPTS: file } });
  const { logged } = demo.corral;
  const chat = async (body: object) => {
    const response = await fetch(`${demo.baseURL}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${demo.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as {
      usage: { prompt_tokens: number; prompt_tokens_details: { cached_tokens: number } };
    };
  };
  return {
    demo,
    file,
    chat,
    done: () => logged.filter(({ msg }) => msg === 'warm prompts are in the prompt cache'),
    warnings: () => logged.filter(({ level, msg }) => level === 40 && /warm prompt/.test(String(msg))),
    async [Symbol.asyncDispose]() {
      await demo.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}

it('a request that needs the only slot is served before the prompt is read, and the prompt is read after it', async () => {
  const long = chatOf(words(800, 'long'));
  await using warm = await setUp([long], 1, 16_384);
  const { scheduler } = warm.demo.corral.gateway;
  await waitFor('the warm-up to take the slot', () => scheduler.batches.leased === 1);
  await warm.chat(chatOf('quick', { max_tokens: 1 }));
  expect(warm.done()).toEqual([]);
  await waitFor('the end of the warm-up', () => warm.done().length === 1);
  const { usage } = await warm.chat({ ...long, max_tokens: 1 });
  expect(usage.prompt_tokens_details.cached_tokens).toBe(usage.prompt_tokens - 1);
  expect(
    await warm.demo.corral.gateway.ledger.query({ since: '2000-01-01', keyId: undefined, by: ['key'] }),
  ).toMatchObject([{ keyId: 'tester', requests: 2 }]);
});

it('a prompt that the engine rejects costs the others nothing, and a changed file is read at once', async () => {
  const [good, other] = [chatOf(words(20, 'good')), chatOf(words(20, 'other'))];
  const invalid = {
    messages: [{ role: 'user', content: 'a', images: 5 }],
    max_tokens: 'many',
    tools: 'none',
  };
  await using warm = await setUp([chatOf(words(400, 'long')), invalid, good], 2, 512);
  await waitFor('the end of the warm-up', () => warm.done().length === 1);
  expect(warm.warnings()).toMatchObject([{ place: 'line 1' }, { place: 'line 2' }]);
  expect(warm.done()).toMatchObject([{ prompts: 1 }]);
  const { usage } = await warm.chat({ ...good, max_tokens: 1 });
  expect(usage.prompt_tokens_details.cached_tokens).toBe(usage.prompt_tokens - 1);

  writeFileSync(warm.file, JSON.stringify(other));
  await waitFor('the new prompt', () => warm.done().length === 2);
  const after = await warm.chat({ ...other, max_tokens: 1 });
  expect(after.usage.prompt_tokens_details.cached_tokens).toBe(after.usage.prompt_tokens - 1);
});
