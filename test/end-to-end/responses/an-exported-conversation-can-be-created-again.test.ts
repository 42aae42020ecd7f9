import { expect, it } from 'vitest';
import { conversationsCommand } from '../../../cli/responses/conversations-command.ts';
import { responsesCommand } from '../../../cli/responses/responses-command.ts';
import { runInProcess } from '../../harness/run-corral.ts';
import { startStoreGateway } from '../../harness/start-store-gateway.ts';
import { saveTurn } from '../../harness/stored-responses.ts';

const STORE_KEY = 'ab'.repeat(32);

/** Every kind of item, twice, and more than one request may have. */
const items = Array.from({ length: 24 }, (_, n) => [
  { role: 'user', content: `question ${n}` },
  {
    role: 'user',
    content: [{ type: 'input_image', image_url: 'data:image/png;base64,iVBORw0KGgo=', detail: 'low' }],
  },
  { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: `thought ${n}` }] },
  { type: 'function_call', call_id: `call_${n}`, name: 'look', arguments: `{"n":${n}}` },
  { type: 'function_call_output', call_id: `call_${n}`, output: 'a llama' },
  { type: 'custom_tool_call', call_id: `custom_${n}`, name: 'shell', input: 'ls' },
  { type: 'custom_tool_call_output', call_id: `custom_${n}`, output: 'none' },
  { role: 'assistant', content: [{ type: 'output_text', text: `answer ${n}` }] },
]).flat();

it('an export of a conversation has everything, and the API accepts it', async () => {
  await using server = await startStoreGateway({ STORE_KEY });
  const env = { DATA_DIR: server.corral.folder, STORE_KEY };
  const post = async (path: string, json: unknown) => {
    const { status, body } = await server.send(`POST ${path}`, { json });
    expect([status, body.error]).toEqual([200, undefined]);
    return body;
  };
  /** 20 items a request. */
  const create = async ({ items: all, ...rest }: { items: readonly unknown[] }): Promise<string> => {
    const { id } = await post('/v1/conversations', { ...rest, items: all.slice(0, 20) });
    for (let at = 20; at < all.length; at += 20)
      await post(`/v1/conversations/${id}/items`, { items: all.slice(at, at + 20) });
    return id;
  };
  const exported = async (id: string) => {
    const { stdout } = await runInProcess(conversationsCommand(), ['export', id], env);
    return JSON.parse(stdout);
  };
  const metadata = { topic: 'llamas', language: 'English' };
  const conversation = await exported(await create({ metadata, items } as never));
  expect(conversation.items).toHaveLength(items.length);
  expect(conversation).toMatchObject({
    metadata,
    items: items.map(({ content: _, ...rest }: object & { content?: unknown }) => rest),
  });
  const { body } = await server.send(`GET /v1/conversations/${conversation.id}/items?order=asc&limit=100`);
  expect(conversation.items.slice(0, 100)).toEqual(body.data);
  const again = await exported(await create(conversation));
  expect(again).toEqual({ ...conversation, id: again.id, created_at: again.created_at });
  expect(again.id).not.toBe(conversation.id);
});

it('so does an export of a response', async () => {
  await using server = await startStoreGateway({ STORE_KEY });
  const store = server.openStore();
  let id = saveTurn(store, 'hello', { owner: 'tester' });
  for (let turn = 1; turn < 10; turn++)
    id = saveTurn(store, `turn ${turn}`, { owner: 'tester', previousId: id });
  const env = { DATA_DIR: server.corral.folder, STORE_KEY };
  const { stdout } = await runInProcess(responsesCommand(), ['export', id], env);
  const created = await server.send('POST /v1/conversations', { body: stdout });
  expect(created.status).toBe(200);
  const { body } = await server.send(`GET /v1/conversations/${created.body.id}/items?order=asc&limit=100`);
  expect(body.data).toEqual(JSON.parse(stdout).items);
  expect(body.data).toHaveLength(20);
});
