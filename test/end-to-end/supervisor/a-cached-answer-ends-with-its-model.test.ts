import { copyFileSync, renameSync, truncateSync } from 'node:fs';
import { expect, it } from 'vitest';
import { killProcess } from '../../harness/child-processes.ts';
import { startServedModels } from '../../harness/start-served-models.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { demoModelFile } from '../../services/demo-models.ts';

it('it survives a kill -9 of its engine, and no other model, file or option answers for it', async () => {
  await using folder = await temporaryFolder();
  const [guide, tales] = [await demoModelFile('guide'), await demoModelFile('tales')];
  const path = folder.file('m.gguf');
  copyFileSync(guide, path);
  const models = (args: string) => [
    { id: 'm', path, pin: true, parallel: 2, ctx: 2048, args },
    { id: 'other', path: tales, pin: true, parallel: 2, ctx: 2048 },
  ];
  const alias = (model: string) => [{ name: 'latest', targets: [{ model }] }];
  await using served = await startServedModels(
    { models: models(''), aliases: alias('m') },
    { RESPONSE_CACHE: 'memory', RESTART_DELAY_MIN: '50ms' },
  );
  await served.deployment.reachesStatus('ready');
  const ask = async (model = 'latest') => {
    const fields = { temperature: 0, max_tokens: 8, messages: [{ role: 'user', content: 'a story' }] };
    const response = await served.post('/v1/chat/completions', { model, ...fields });
    const { choices, model: answered } = (await response.json()) as {
      model: string;
      choices: { message: { content: string } }[];
    };
    return {
      cache: response.headers.get('x-corral-cache'),
      model: answered,
      text: choices[0]?.message.content,
    };
  };
  const kill = async (from?: string) => {
    const pid = await served.pidOf('m');
    if (from !== undefined) {
      copyFileSync(from, folder.file('new'));
      renameSync(folder.file('new'), path);
    }
    killProcess(pid, 'SIGKILL');
    await waitFor('another engine', async () => (await served.pidOf('m')) !== pid);
    await served.reaches('m', 'loaded');
  };

  // While the gateway learns what runs there, nothing is kept or found.
  const untilHit = (model?: string) =>
    waitFor('a hit', async () => {
      const answer = await ask(model);
      return answer.cache === 'hit' ? answer : undefined;
    });
  const first = await ask();
  expect(first).toMatchObject({ cache: 'miss', model: 'm' });
  expect(await untilHit()).toEqual({ ...first, cache: 'hit' });
  expect(await ask('m')).toEqual({ ...first, cache: 'hit' });
  await kill();
  expect(await untilHit()).toEqual({ ...first, cache: 'hit' });

  served.write({ models: models(''), aliases: alias('other') });
  await waitFor('the switch', async () => (await ask()).model === 'other');
  expect(await ask('m')).toEqual({ ...first, cache: 'hit' });
  expect((await ask()).text).not.toBe(first.text);
  served.write({ models: models('--temp 0.5'), aliases: alias('m') });
  await waitFor('the other option', async () => {
    const { cache, model } = await ask();
    return cache === 'miss' && model === 'm';
  });
  expect((await ask()).text).toBe(first.text);

  // Another model in the file of the first.
  await kill(tales);
  const after = await ask();
  expect(after).toMatchObject({ cache: 'miss', model: 'm' });
  expect(after.text).not.toBe(first.text);
});

it('a client that was told that it waits for a model gets the cached answer of another one', async () => {
  await using folder = await temporaryFolder();
  const guide = await demoModelFile('guide');
  const damaged = folder.file('damaged.gguf');
  copyFileSync(guide, damaged);
  truncateSync(damaged, 100_000);
  await using served = await startServedModels(
    {
      models: [
        { id: 'm', path: guide, pin: true, parallel: 2, ctx: 2048 },
        { id: 'canary', path: damaged },
      ],
      aliases: [
        {
          name: 'latest',
          targets: [
            { model: 'm', weight: 10 },
            { model: 'canary', weight: 90 },
          ],
        },
      ],
    },
    { RESPONSE_CACHE: 'memory', STREAM_HEADERS_AFTER: '1ms', STREAM_KEEPALIVE: '10ms' },
  );
  await served.deployment.reachesStatus('ready');
  const ask = async (model: string, session: string) => {
    const messages = [{ role: 'user', content: 'a story' }];
    const body = { model, temperature: 0, max_tokens: 8, stream: true, messages };
    const response = await served.post('/v1/chat/completions', body, { 'x-session-id': session });
    const isHit = response.headers.get('x-corral-cache') === 'hit';
    const events = (await response.text()).split('\n\n').filter((event) => event.startsWith('data:'));
    return { isHit, events: events.map((event) => event.replace(/"id":"[^"]*"|"created":\d+/g, '')) };
  };
  const { events: kept } = await waitFor('a hit', async () => {
    const answer = await ask('m', 'first');
    return answer.isHit ? answer : undefined;
  });
  expect(kept.at(-1)).toBe('data: [DONE]');
  const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => ask('latest', `session ${n}`)));
  await waitFor('the canary to fail', async () => (await served.model('canary')).status === 'failed');
  for (const { events } of answers) expect(events).toEqual(kept);
});
