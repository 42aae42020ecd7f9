import { expect, inject, it } from 'vitest';
import { storyText } from '../../scripts/demo-model/stories.ts';
import { isRunning, startHouse } from '../../scripts/harness/start-house.ts';
import { waitFor } from '../../scripts/harness/wait-for.ts';

it('plain requests before, at and after a kill -9 of llama-server are all answered, to the letter', async () => {
  await using house = await startHouse({
    real: { engine: inject('engine'), model: inject('demoModel') },
    env: { MAX_REQUESTS_PER_MINUTE: '0', PARALLEL: '4' },
  });
  await house.standing('ready');
  const ask = async () => {
    const answer = await fetch(`http://127.0.0.1:${house.gatewayPort}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-api-key': 'sk-0123456789abcdef', 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'survival' }] }),
    });
    const { choices } = (await answer.json()) as { choices?: { message: { content: string } }[] };
    return { status: answer.status, text: choices?.[0]?.message.content };
  };
  const [engine = 0] = house.children();
  const answers = Array.from({ length: 12 }, ask);
  process.kill(engine, 'SIGKILL');
  await waitFor('it to be gone', () => !isRunning(engine));
  answers.push(...Array.from({ length: 12 }, ask));
  for (const answer of await Promise.all(answers)) {
    expect(answer).toEqual({ status: 200, text: storyText('survival') });
  }
  expect(await house.status()).toMatchObject({ restarts: { engine: 1, gateway: 0 } });
});
