import { afterAll, beforeAll, expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { formatEvent, parseEvents } from '../../../sse/sse.ts';
import { type BackgroundGateway, startBackground, textOf } from '../../harness/start-background.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { type LlamaServer, startLlamaServer } from '../../services/start-llama-server.ts';

let llama: LlamaServer;
let background: BackgroundGateway;
beforeAll(async () => {
  llama = await startLlamaServer({ slots: 4 });
  background = await startBackground(llama.backend);
});
afterAll(async () => {
  await background[Symbol.asyncDispose]();
  await llama.stop();
});

/** Replaces what differs between any two responses to the same request. */
const normalize = (text: string): string =>
  text
    .replace(/"(id|item_id)":"\w+"/g, '"$1":"…"')
    .replace(/"(created_at|completed_at)":\d+/g, '"$1":0')
    .replace(/"\w+_(ms|per_second)":[\d.e+-]+/g, '"ms":0')
    .replace(/"cache_n":\d+,"prompt_n":\d+/g, '"read":0')
    .replace(/"cached_tokens":\d+/g, '"cached":0');

const textsOf = (id: string) => background.eventsOf(id).map(({ text }) => text);

/** The line of the request with which the runner asked for a response that has ended. */
const lineOf = (id: string) =>
  waitFor('its line', () => background.corral.logged.findLast((line) => line.id === id));

/** Stores events of a response as the runner does, and leaves it there. */
function leave(id: string, texts: readonly string[]): void {
  background.store.responses.begin(id);
  background.store.responses.appendEvents(
    id,
    texts.map((text) => ({ sequence: Number(/"sequence_number":(\d+)/.exec(text)?.[1]), text })),
  );
}

it.each([
  ['incomplete', { max_output_tokens: 12 }, 12],
  ['completed', {}, 47],
])(
  'wherever it broke off, it has the same events as an unbroken one that is %s',
  async (end, fields, output) => {
    const whole = await background.create('limits', fields);
    let input: number;
    {
      await using _ = background.startRunner();
      const { status, usage } = await background.ended(whole.id);
      expect(status).toBe(end);
      input = usage.input_tokens;
    }
    const complete = textsOf(whole.id);
    expect(complete.length).toBeGreaterThan(18);
    const [announced, begun] = [2, 3];
    const ids: string[] = [];
    for (let kept = announced; kept < complete.length; kept++) {
      const { id } = await background.create('limits', fields);
      leave(
        id,
        complete.slice(announced, kept).map((text) => text.replaceAll(whole.id, id)),
      );
      ids[kept] = id;
    }
    await using _ = background.startRunner();
    for (const [kept, id] of ids.entries()) {
      if (id === undefined) continue;
      const { status, usage } = await background.ended(id);
      expect(status).toBe(end);
      expect(usage).toMatchObject({ input_tokens: input, output_tokens: output });
      const texts = textsOf(id);
      expect(texts.slice(0, kept).join('')).toContain(id);
      expect(normalize(texts.join('')), `behind ${kept} events`).toBe(normalize(complete.join('')));
      expect(new Set(texts.join('').match(/"(?:id|item_id)":"[^"]+"/g)).size).toBe(3);
      expect((await lineOf(id)).continued, `behind ${kept} events`).toBe(kept < begun ? undefined : 1);
    }
  },
);

it('what has an unfinished tool call, or reasoning, begins anew, and its events say so', async () => {
  const { id } = await background.create('survival');
  const item = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'f', arguments: '' };
  const events = [
    { type: 'response.output_item.added', output_index: 0, item },
    { type: 'response.function_call_arguments.delta', output_index: 0, item_id: 'fc_1', delta: '{"a' },
  ];
  leave(
    id,
    events.map((event, n) => formatEvent({ ...event, sequence_number: 2 + n }, event.type)),
  );
  const following = await background.follow(id, 1);
  await using runner = background.startRunner();
  const ended = await background.ended(id);
  expect(ended).toMatchObject({ id, status: 'completed' });
  expect(textOf(ended)).toBe(storyText('survival'));
  expect(runner.logged).toContainEqual(
    expect.objectContaining({ response: id, times: 1, msg: 'background response begins anew' }),
  );
  const kept = parseEvents(textsOf(id).join(''));
  expect(kept[0]).toMatchObject({ type: 'response.created', sequence_number: 4, response: { id } });
  expect(kept.map(({ sequence_number }) => sequence_number)).toEqual(kept.map((_, n) => 4 + n));

  const followed = parseEvents(await following.text());
  expect(followed.at(-1)).toMatchObject({ type: 'error', code: 'events_lost' });
  const lost = await background.follow(id, 3);
  expect(lost.status).toBe(400);
  expect(await lost.json()).toMatchObject({ error: { code: 'events_lost' } });
  expect(parseEvents(await (await background.follow(id)).text())).toEqual(kept);
});
