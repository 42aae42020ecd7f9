import OpenAI, { BadRequestError, NotFoundError } from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordTraffic } from '../../harness/record-traffic.ts';
import { type StoreGateway, startStoreGateway } from '../../harness/start-store-gateway.ts';

let server: StoreGateway;
let openai: OpenAI;
const wire = recordTraffic();
beforeAll(async () => {
  server = await startStoreGateway();
  openai = new OpenAI({
    baseURL: `${server.corral.origin}/v1`,
    apiKey: server.corral.secret,
    maxRetries: 0,
    fetch: wire.fetch,
  });
});
afterAll(() => server[Symbol.asyncDispose]());

const message = (content: string) => ({ type: 'message', role: 'user', content }) as const;
const textOf = (item: OpenAI.Conversations.ConversationItem) =>
  item.type === 'message' && item.content[0]?.type === 'input_text' ? item.content[0].text : item.type;

it('conversations are created, read, changed and deleted', async () => {
  const created = await openai.conversations.create({
    metadata: { topic: 'demo' },
    items: [message('Hello!')],
  });
  expect(await openai.conversations.retrieve(created.id)).toEqual(created);
  const changed = await openai.conversations.update(created.id, { metadata: { topic: 'changed' } });
  expect(changed).toEqual({ ...created, metadata: { topic: 'changed' } });
  expect(await openai.conversations.delete(created.id)).toEqual({
    ...{ id: created.id, object: 'conversation.deleted', deleted: true },
  });
  await expect(openai.conversations.retrieve(created.id)).rejects.toThrow(NotFoundError);
  await expect(openai.conversations.create({ metadata: { a: 'x'.repeat(513) } })).rejects.toThrow(
    BadRequestError,
  );
});

it('a conversation may be created without anything', async () => {
  expect((await openai.conversations.create()).metadata).toEqual({});
});

it.each(['asc', 'desc'] as const)('items are added and listed through all pages, %s', async (order) => {
  const { id } = await openai.conversations.create();
  const texts = Array.from({ length: 45 }, (_, n) => `text ${n}`);
  for (let at = 0; at < texts.length; at += 15) {
    const added = await openai.conversations.items.create(id, {
      items: texts.slice(at, at + 15).map(message),
      include: ['reasoning.encrypted_content'],
    });
    expect(added.data.map(textOf)).toEqual(texts.slice(at, at + 15));
  }
  const seen: string[] = [];
  for await (const item of openai.conversations.items.list(id, { order })) seen.push(textOf(item));
  expect(seen).toEqual(order === 'asc' ? texts : texts.toReversed());
});

it('an item is read and removed', async () => {
  const { id: conversation_id } = await openai.conversations.create({ items: [message('a'), message('b')] });
  const [newest] = (await openai.conversations.items.list(conversation_id)).data;
  const id = newest && 'id' in newest ? newest.id : '';
  expect(await openai.conversations.items.retrieve(id ?? '', { conversation_id })).toEqual(newest);
  const conversation = await openai.conversations.items.delete(id ?? '', { conversation_id });
  expect(conversation.id).toBe(conversation_id);
  await expect(openai.conversations.items.retrieve(id ?? '', { conversation_id })).rejects.toThrow(
    NotFoundError,
  );
  expect((await openai.conversations.items.list(conversation_id)).data.map(textOf)).toEqual(['a']);
});

it('everything above matches the strict schemas of the API', () => {
  expect(wire.responses.length).toBeGreaterThan(5);
  expect(wire.violations).toEqual([]);
});
