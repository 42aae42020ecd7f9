import { expect, inject, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { isRunning, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

it('plain requests before, at and after a kill -9 of llama-server are all answered, to the letter', async () => {
  await using house = await startDeployment({
    real: { engine: inject('engine'), model: inject('demoModel') },
    env: { MAX_REQUESTS_PER_MINUTE: '0', PARALLEL: '4' },
  });
  await house.reachesStatus('ready');
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

it('a request over which it is killed again and again, from outside, is blamed for nothing and answered', async () => {
  await using house = await startDeployment({
    real: { engine: inject('engine'), model: inject('demoModel') },
    env: { MAX_REQUESTS_PER_MINUTE: '0', PARALLEL: '1', CTX: '16384', RESTART_DELAY_MIN: '50ms' },
  });
  await house.reachesStatus('ready');
  const [, gateway] = house.children();
  const ask = async () => {
    const answer = await fetch(`http://127.0.0.1:${house.gatewayPort}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-api-key': 'sk-0123456789abcdef', 'content-type': 'application/json' },
      body: JSON.stringify({
        messages: [{ role: 'user', content: 'long story' }],
        max_tokens: 2500,
        stream: true,
      }),
    });
    return { status: answer.status, text: await answer.text() };
  };
  const answer = ask();
  for (const restarts of [1, 2, 3]) {
    const engine = house.children().findLast((pid) => pid !== gateway && isRunning(pid)) ?? 0;
    process.kill(engine, 'SIGKILL');
    await waitFor('another engine', async () => {
      const { restarts: counts, standing } = (await house.status()) as {
        restarts: { engine: number };
        standing: string;
      };
      return counts.engine === restarts && standing === 'ready';
    });
  }
  const { status, text } = await answer;
  expect(status).toBe(200);
  expect(text).not.toContain('"error"');
  expect(text).toContain('"finish_reason":"length"');
});
