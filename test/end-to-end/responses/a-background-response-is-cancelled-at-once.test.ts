import { afterAll, beforeAll, expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { parseEvents } from '../../../sse/sse.ts';
import { type BackgroundGateway, startBackground, textOf } from '../../harness/start-background.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { type LlamaServer, startLlamaServer } from '../../services/start-llama-server.ts';

let llama: LlamaServer;
let background: BackgroundGateway;
beforeAll(async () => {
  llama = await startLlamaServer({ slots: 1, context: 16_384 });
  background = await startBackground(llama.backend);
});
afterAll(async () => {
  await background[Symbol.asyncDispose]();
  await llama.stop();
});

const cancel = (id: string) => background.send(`POST /v1/responses/${id}/cancel`);
const get = (id: string) => background.send(`GET /v1/responses/${id}`);

it('one that waits is never generated', async () => {
  const { id } = await background.create('limits');
  const following = await background.follow(id);
  expect(await cancel(id)).toMatchObject({ status: 200, body: { id, status: 'cancelled', output: [] } });
  const events = parseEvents(await following.text());
  expect(events.map(({ type }) => type)).toEqual(['response.created', 'response.queued', 'response.failed']);
  expect(events.at(-1)).toMatchObject({ sequence_number: 2, response: { id, status: 'cancelled' } });
  expect(await (await background.follow(id, 1)).text()).toContain('"sequence_number":2');
  expect(await (await background.follow(id, 2)).text()).toBe('');
  await using _ = background.startRunner();
  const { id: later } = await background.create('limits');
  await background.ended(later);
  expect(background.corral.logged.filter((line) => line.id === id)).toEqual([]);
});

it('the slot of one that is generated is free at once, it may be cancelled again, and the next one runs', async () => {
  await using runner = background.startRunner();
  const { id } = await background.create('long story');
  await waitFor('a part of it', () => background.eventsOf(id).length > 50);
  const following = await background.follow(id, 10);
  const { scheduler } = background.corral.gateway;
  expect(scheduler.leasesOut).toBe(1);
  expect(await cancel(id)).toMatchObject({ status: 200, body: { id, status: 'cancelled' } });
  await waitFor('the slot', () => scheduler.leasesOut === 0);
  expect(await cancel(id)).toMatchObject({ status: 200, body: { id, status: 'cancelled' } });
  const line = await waitFor('its line', () => background.corral.logged.find((it) => it.id === id));
  expect(line).toMatchObject({ error: 'request_cancelled' });
  const kept = background.eventsOf(id);
  const events = parseEvents(await following.text());
  expect(events.at(-1)).toMatchObject({ type: 'response.failed', response: { status: 'cancelled' } });
  expect(events).toHaveLength(kept.length - 11 + 1);

  const { id: next } = await background.create('limits');
  expect(textOf(await background.ended(next))).toBe(storyText('limits'));
  expect((await get(id)).body.status).toBe('cancelled');
  expect(runner.logged.filter(({ response }) => response === id)).toEqual([]);
});

it('one that is deleted is not generated any more', async () => {
  await using _ = background.startRunner();
  const { id } = await background.create('long story');
  await waitFor('a part of it', () => background.eventsOf(id).length > 50);
  const following = await background.follow(id);
  expect((await background.send(`DELETE /v1/responses/${id}`)).status).toBe(200);
  await waitFor('the slot', () => background.corral.gateway.scheduler.leasesOut === 0);
  expect(parseEvents(await following.text()).at(-1)).toMatchObject({ code: 'response_not_found' });
  expect((await get(id)).status).toBe(404);
  expect((await cancel(id)).status).toBe(404);
});

it('one that has ended, and one that is not in the background, cannot be cancelled', async () => {
  await using _ = background.startRunner();
  const statuses = { limits: 'completed', survival: 'incomplete' } as const;
  for (const [input, status] of Object.entries(statuses)) {
    const fields = status === 'incomplete' ? { max_output_tokens: 3 } : {};
    const { id } = await background.create(input, fields);
    expect((await background.ended(id)).status).toBe(status);
    expect(await cancel(id)).toMatchObject({
      status: 400,
      body: {
        error: { code: 'response_not_cancellable', message: expect.stringContaining(`${status} response`) },
      },
    });
  }
  const { body } = await background.send('POST /v1/responses', { model: 'demo', input: 'limits' });
  expect(await cancel(body.id)).toMatchObject({
    status: 400,
    body: { error: { message: 'Cannot cancel a synchronous response.' } },
  });
  expect((await cancel('resp_unknown')).status).toBe(404);
});
