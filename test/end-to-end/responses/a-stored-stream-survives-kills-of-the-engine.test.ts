import { expect, inject, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { parseEvents } from '../../../sse/sse.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { isRunning, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

it('one response, whole and under one id, is sent and stored though the engine is killed twice in its middle', async () => {
  await using deployment = await startDeployment({
    real: { engine: inject('engine'), model: inject('demoModel') },
    env: {
      ...{ STORE: 'on', MAX_REQUESTS_PER_MINUTE: '0' },
      ...{ PARALLEL: '1', CTX: '16384', RESTART_DELAY_MIN: '50ms' },
    },
  });
  await deployment.reachesStatus('ready');
  const request = (path: string, body?: object) =>
    fetch(`http://127.0.0.1:${deployment.gatewayPort}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'x-api-key': 'sk-0123456789abcdef', 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    });
  const [, ...others] = deployment.children();
  const stream = await request('/v1/responses', { input: 'long story', temperature: 0, stream: true });
  expect(stream.status).toBe(200);
  let text = '';
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of stream.body ?? []) text += decoder.decode(chunk, { stream: true });
  })();
  let seen = 0;
  for (let kills = 0; kills < 2; kills++) {
    await waitFor('more of the story', () => text.split('output_text.delta').length > seen + 40);
    seen = text.split('output_text.delta').length;
    // What the client reads may have been sent before the last kill, when the next engine does not run yet.
    const engine = await waitFor('an engine', () =>
      deployment.children().findLast((pid) => !others.includes(pid) && isRunning(pid)),
    );
    killProcess(engine, 'SIGKILL');
  }
  await reading;
  const events = parseEvents(text);
  const deltas = events.filter(({ type }) => type === 'response.output_text.delta').map(({ delta }) => delta);
  expect(await deployment.status()).toMatchObject({ restarts: { engine: 2, gateway: 0 } });
  expect(deltas.join('')).toBe(storyText('long story'));
  expect(events.map((event) => event.sequence_number)).toEqual([...events.keys()]);
  const last = events.at(-1)?.response as { readonly id: string; readonly output: unknown };
  const ids = new Set(events.flatMap(({ response }) => (response as { id: string } | undefined)?.id ?? []));
  expect([...ids]).toEqual([last.id]);
  expect(await (await request(`/v1/responses/${last.id}`)).json()).toEqual(last);
  expect(last.output).toMatchObject([{ content: [{ text: storyText('long story') }] }]);
});
