import { afterAll, beforeAll, expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { parseEvents, type StreamEvent } from '../../../sse/sse.ts';
import { RawClient } from '../../harness/raw-client.ts';
import {
  type BackgroundGateway,
  type ResponseJson,
  startBackground,
  textOf,
} from '../../harness/start-background.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { type LlamaServer, startLlamaServer } from '../../services/start-llama-server.ts';

let llama: LlamaServer;
let background: BackgroundGateway;
beforeAll(async () => {
  llama = await startLlamaServer({ slots: 2, context: 16_384 });
  background = await startBackground(llama.backend, { STREAM_KEEPALIVE: '100ms' });
});
afterAll(async () => {
  await background[Symbol.asyncDispose]();
  await llama.stop();
});

const deltasOf = (events: readonly StreamEvent[]) =>
  events.flatMap(({ type, delta }) => (type === 'response.output_text.delta' ? [delta] : [])).join('');

/** Reads events until there are so many, and disconnects. */
async function readSome(response: Response, count: number): Promise<readonly StreamEvent[]> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const events = parseEvents(text.slice(0, text.lastIndexOf('\n\n') + 2));
    if (events.length >= count) return events;
  }
  return parseEvents(text);
}

it('a client that disconnects again and again gets every event once, while they are generated', async () => {
  await using _ = background.startRunner();
  const { id } = await background.create('long story');
  const events = [...(await readSome(await background.follow(id), 1))];
  while (!/completed/.test(String(events.at(-1)?.type)))
    events.push(
      ...(await readSome(await background.follow(id, Number(events.at(-1)?.sequence_number)), 400)),
    );
  expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, n) => n));
  expect(deltasOf(events)).toBe(storyText('long story'));
});

it('with stream:true the request itself is followed, and the response outlives it', async () => {
  const created = await fetch(`${background.corral.origin}/v1/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${background.corral.secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'demo',
      input: 'survival',
      temperature: 0,
      background: true,
      stream: true,
    }),
  });
  expect(created.headers.get('content-type')).toBe('text/event-stream');
  const announced = await readSome(created, 2);
  expect(announced.map(({ type }) => type)).toEqual(['response.created', 'response.queued']);
  const { id, status } = (announced[0]?.response ?? {}) as Partial<ResponseJson>;
  expect(status).toBe('queued');
  await using _ = background.startRunner();
  expect(textOf(await background.ended(String(id)))).toBe(storyText('survival'));
});

it('after the end, the events behind each number are there', async () => {
  const { id } = await background.create('emoji', { max_output_tokens: 8 });
  {
    await using _ = background.startRunner();
    await background.ended(id);
  }
  const all = background.eventsOf(id).map(({ text }) => text);
  expect(await (await background.follow(id)).text()).toBe(all.join(''));
  for (const after of all.keys())
    expect(await (await background.follow(id, after)).text()).toBe(all.slice(after + 1).join(''));
  expect(parseEvents(all.at(-1) ?? '')[0]?.type).toBe('response.incomplete');
});

it('when its events have been dropped, it can be followed from the start, and not from the middle', async () => {
  const { id } = await background.create('streams');
  {
    await using _ = background.startRunner();
    await background.ended(id);
  }
  const last = background.eventsOf(id).length - 1;
  await background.store.sweep(Date.now() / 1000 + 2 * 60 * 60);
  expect(background.eventsOf(id)).toEqual([]);
  const events = parseEvents(await (await background.follow(id)).text());
  expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, n) => n));
  expect(events.map(({ type }) => type)).toEqual([
    'response.created',
    'response.in_progress',
    'response.output_item.added',
    'response.content_part.added',
    'response.output_text.delta',
    'response.output_text.done',
    'response.content_part.done',
    'response.output_item.done',
    'response.completed',
  ]);
  expect(deltasOf(events)).toBe(storyText('streams'));
  for (const after of [0, last]) {
    const lost = await background.follow(id, after);
    expect(lost.status).toBe(400);
    expect(await lost.json()).toMatchObject({ error: { code: 'events_lost', param: 'starting_after' } });
  }
});

it('a silent response is kept alive by comments', async () => {
  const { id } = await background.create('welcome');
  const following = await background.follow(id);
  let text = '';
  for await (const chunk of following.body ?? []) {
    text += new TextDecoder().decode(chunk);
    if (text.split(': keep-alive\n\n').length > 2) break;
  }
  expect(parseEvents(text)).toHaveLength(2);
  await background.send(`POST /v1/responses/${id}/cancel`);
});

it('a number that is none, and a response that was not created in the background, are rejected', async () => {
  const { id } = await background.create('welcome');
  for (const after of ['-1', 'x', '1.5'])
    expect(
      await background.send(`GET /v1/responses/${id}?stream=true&starting_after=${after}`),
    ).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid_value', param: 'starting_after' } },
    });
  const { body } = await background.send('POST /v1/responses', {
    model: 'demo',
    input: 'limits',
    temperature: 0,
  });
  expect(await background.send(`GET /v1/responses/${body.id}?stream=true`)).toMatchObject({
    status: 400,
    body: { error: { code: 'response_not_streamable' } },
  });
});

it('a gateway that stops waits for no follower of a response that has not begun', async () => {
  const stopping = await startBackground(llama.backend, { DRAIN_TIMEOUT: '1h' });
  const { id } = await stopping.create('welcome');
  const following = await stopping.follow(id);
  const read = following.text().catch((error: Error) => error.name);
  await stopping[Symbol.asyncDispose]();
  expect(await read).toBe('TypeError');
});

it('a request for the head alone does not follow', async () => {
  const { id } = await background.create('welcome');
  const lines = [
    `HEAD /v1/responses/${id}?stream=true HTTP/1.1`,
    'Host: gateway',
    `Authorization: Bearer ${background.corral.secret}`,
  ];
  await using client = await RawClient.connect(Number(new URL(background.corral.origin).port));
  // The second one gets its response when that to the first one is complete.
  client.send(`${lines.join('\r\n')}\r\n\r\n`.repeat(2));
  await waitFor('both', () => client.text.match(/^HTTP\/1.1 200 /gm)?.length === 2);
  await background.send(`POST /v1/responses/${id}/cancel`);
});
