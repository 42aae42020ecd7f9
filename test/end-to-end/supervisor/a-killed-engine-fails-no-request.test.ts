import { expect, inject, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { isRunning, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

it('requests without streaming before, during and after a kill -9 of llama-server all get the exact response', async () => {
  await using deployment = await startDeployment({
    real: { engine: inject('engine'), model: inject('demoModel') },
    env: { MAX_REQUESTS_PER_MINUTE: '0', PARALLEL: '4' },
  });
  await deployment.reachesStatus('ready');
  const complete = async () => {
    const response = await fetch(`http://127.0.0.1:${deployment.gatewayPort}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-api-key': 'sk-0123456789abcdef', 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'survival' }] }),
    });
    const { choices } = (await response.json()) as { choices?: { message: { content: string } }[] };
    return { status: response.status, text: choices?.[0]?.message.content };
  };
  const [engine = 0] = deployment.children();
  const responses = Array.from({ length: 12 }, complete);
  killProcess(engine, 'SIGKILL');
  await waitFor('the engine to exit', () => !isRunning(engine));
  responses.push(...Array.from({ length: 12 }, complete));
  for (const response of await Promise.all(responses)) {
    expect(response).toEqual({ status: 200, text: storyText('survival') });
  }
  expect(await deployment.status()).toMatchObject({ restarts: { engine: 1, gateway: 0 } });
});

it('a request during which llama-server is killed repeatedly from outside is not blamed, and succeeds', async () => {
  await using deployment = await startDeployment({
    real: { engine: inject('engine'), model: inject('demoModel') },
    env: { MAX_REQUESTS_PER_MINUTE: '0', PARALLEL: '1', CTX: '16384', RESTART_DELAY_MIN: '50ms' },
  });
  await deployment.reachesStatus('ready');
  const [, gateway] = deployment.children();
  const complete = async () => {
    const response = await fetch(`http://127.0.0.1:${deployment.gatewayPort}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-api-key': 'sk-0123456789abcdef', 'content-type': 'application/json' },
      body: JSON.stringify({
        messages: [{ role: 'user', content: 'long story' }],
        max_tokens: 2500,
        stream: true,
      }),
    });
    return { status: response.status, text: await response.text() };
  };
  const result = complete();
  for (const restarts of [1, 2, 3]) {
    const engine = deployment.children().findLast((pid) => pid !== gateway && isRunning(pid)) ?? 0;
    killProcess(engine, 'SIGKILL');
    await waitFor('another engine', async () => {
      const { restarts: counts, standing } = (await deployment.status()) as {
        restarts: { engine: number };
        standing: string;
      };
      return counts.engine === restarts && standing === 'ready';
    });
  }
  const { status, text } = await result;
  expect(status).toBe(200);
  expect(text).not.toContain('"error"');
  expect(text).toContain('"finish_reason":"length"');
});
