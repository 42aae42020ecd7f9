import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type StoreGateway, startStoreGateway } from '../../harness/start-store-gateway.ts';

let server: StoreGateway;
beforeAll(async () => {
  server = await startStoreGateway();
});
afterAll(() => server[Symbol.asyncDispose]());

const anything = fc.jsonValue({ maxDepth: 2 });
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', 'hello', '\ud800', '\u0000'));
const type = fc.constantFrom(
  ...['message', 'reasoning', 'function_call', 'function_call_output', 'custom_tool_call'],
  ...['custom_tool_call_output', 'item_reference', 'web_search_call', 'mcp_call', 'local_shell_call'],
  ...['shell_call_output', 'compaction', 'unknown', '__proto__', 'constructor', 'toString'],
);
const part = fc.oneof(
  text,
  anything,
  fc.record(
    {
      type: fc.constantFrom('input_text', 'output_text', 'input_image', 'refusal', 'text', 'input_file', 'x'),
      text: fc.oneof(text, anything),
      refusal: text,
      image_url: fc.oneof(text, fc.constant('data:image/png;base64,iVBORw0KGgo='), anything),
      annotations: anything,
    },
    { requiredKeys: [] },
  ),
);
const item = fc.record(
  {
    id: fc.oneof(text, anything, fc.constantFrom('msg_1', 'msg_1')),
    type: fc.oneof({ weight: 6, arbitrary: type }, fc.constant({ toString: 1, valueOf: 1 }), anything),
    role: fc.oneof(fc.constantFrom('user', 'assistant', 'system', 'developer', 'tool'), anything),
    content: fc.oneof(text, fc.array(part, { maxLength: 3 }), anything),
    summary: fc.oneof(fc.array(part, { maxLength: 2 }), anything),
    call_id: fc.oneof(text, anything),
    name: fc.oneof(text, anything),
    arguments: fc.oneof(text, anything),
    input: fc.oneof(text, anything),
    output: fc.oneof(text, fc.array(part, { maxLength: 2 }), anything),
    status: anything,
  },
  { requiredKeys: [] },
);

it('and what was accepted can be listed, read and removed', async () => {
  let accepted = 0;
  const check = async (items: unknown, metadata: unknown) => {
    const created = await server.send('POST /v1/conversations', { json: { items, metadata } });
    expect([200, 400], created.text).toContain(created.status);
    if (created.status === 400) return;
    const path = `/v1/conversations/${created.body.id}/items`;
    const listed = await server.send(`GET ${path}?limit=100&order=asc`);
    expect([listed.status, listed.body.data.length]).toEqual([200, (items as unknown[]).length]);
    for (const each of listed.body.data) {
      accepted += 1;
      expect(each).toMatchObject({ id: expect.stringMatching(/^[\w-]{1,128}$/), type: expect.any(String) });
      expect((await server.send(`GET ${path}/${each.id}`)).status).toBe(200);
    }
    const ids = new Set<string>(listed.body.data.map(({ id }: { id: string }) => id));
    for (const id of ids) expect((await server.send(`DELETE ${path}/${id}`)).status).toBe(200);
    expect((await server.send(`GET ${path}`)).body.data).toEqual([]);
  };
  const metadata = fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: anything });
  await fc.assert(fc.asyncProperty(fc.array(item, { maxLength: 2 }), metadata, check), { numRuns: 300 });
  expect(accepted).toBeGreaterThan(10);
});
