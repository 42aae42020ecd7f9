import { expect, it } from 'vitest';
import type { JsonObject } from '../../../json/json-object.ts';
import { storeFull } from '../../errors/store-catalogue.ts';
import { getEchoedFields } from './echoed-fields.ts';
import { ResponsesApiRewriter } from './rewriter.ts';
import { type SaveResponse, StoringRewriter } from './storing-rewriter.ts';

const id = 'resp_0123456789abcdef0123456789abcdef';

function createRewriter(save: SaveResponse) {
  const echoed = { ...getEchoedFields({}), store: true };
  const numbered = new ResponsesApiRewriter({ id, model: 'horse', createdAt: 1_700_000_000, echoed });
  return new StoringRewriter(numbered, numbered, save);
}

const event = (type: string, fields: object) =>
  Buffer.from(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`);
const item = { id: 'msg_engine', type: 'message', role: 'assistant', content: [] };
const response = { id: 'resp_engine', object: 'response', status: 'completed', output: [item], usage: {} };
const delta = event('response.output_text.delta', {
  item_id: 'msg_engine',
  delta: 'event: response.completed\n',
});
const stream = [
  event('response.created', { response: { ...response, status: 'in_progress', output: [] } }),
  event('response.output_item.added', { item }),
  delta,
  delta,
  event('response.completed', { response }),
];

const parse = (text: string) =>
  [...text.matchAll(/^event: (\S+)\ndata: (.*)$/gm)].map(([, , data = '']) => JSON.parse(data));

it('stores the response as its client sees it, under ids of ours, before it sends its end', () => {
  const saved: JsonObject[] = [];
  let told = '';
  const rewriter = createRewriter((whole) => {
    expect(told).not.toMatch(/^event: response.completed$/m);
    saved.push(whole);
    return true;
  });
  for (const events of stream) told += rewriter.rewriteEvents(events);
  const events = parse(told);
  expect(saved).toEqual([events.at(-1).response]);
  const [message] = events.at(-1).response.output;
  expect(message.id).toMatch(/^msg_[0-9a-f]{32}$/);
  expect(events.flatMap((it) => it.item_id ?? it.item?.id ?? [])).toEqual(Array(3).fill(message.id));
  expect(events.flatMap((it) => it.response?.id ?? [])).toEqual([id, id]);
});

it('sends an error in place of an end that is not stored, and numbers it as that', () => {
  const rewriter = createRewriter(() => {
    throw storeFull(1);
  });
  const events = parse(stream.map((it) => rewriter.rewriteEvents(it).toString()).join(''));
  expect(events.map(({ type }) => type).slice(-3)).toEqual([
    'response.output_text.delta',
    'response.failed',
    'error',
  ]);
  expect(events.map((it) => it.sequence_number)).toEqual([...events.keys()]);
  expect(events.at(-2).response).toMatchObject({ id, status: 'failed', error: { code: 'server_error' } });
  expect(events.at(-1).code).toBe('store_full');
  expect(() => rewriter.rewriteBody(Buffer.from(JSON.stringify(response)))).toThrow(storeFull(1));
});

it('says of a response that it is not kept', () => {
  const rewriter = createRewriter(() => false);
  const events = parse(stream.map((it) => rewriter.rewriteEvents(it).toString()).join(''));
  expect(events[0].response.store).toBe(true);
  expect(events.at(-1)).toMatchObject({ type: 'response.completed', response: { store: false } });
  const body = rewriter.rewriteBody(Buffer.from(JSON.stringify(response)));
  expect(JSON.parse(body.toString())).toMatchObject({ status: 'completed', store: false });
});
