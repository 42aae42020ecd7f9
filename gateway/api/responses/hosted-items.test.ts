import { expect, it } from 'vitest';
import { createNotes } from '../normalization.ts';
import { normalizeResponses } from './normalize.ts';

const user = { role: 'user', content: 'hi' };

function normalize(...items: object[]) {
  const notes = createNotes();
  const { input } = normalizeResponses({ input: [user, ...items, user] }, notes);
  return { items: (input as object[]).slice(1, -1), notes };
}

it.each([
  [
    {
      type: 'file_search_call',
      id: 'fs_1',
      queries: ['q'],
      results: [{ filename: 'a', text: 'b', score: 1 }],
    },
    { name: 'file_search', arguments: '{"queries":["q"]}' },
    '[{"filename":"a","text":"b"}]',
  ],
  [
    {
      type: 'code_interpreter_call',
      id: 'ci_1',
      code: 'print(1)',
      outputs: [
        { type: 'logs', logs: '1' },
        { type: 'image', url: 'x' },
      ],
    },
    { name: 'code_interpreter', arguments: '{"code":"print(1)"}' },
    '1',
  ],
  [{ type: 'code_interpreter_call', id: 'ci_1', code: 'x', outputs: null }, { name: 'code_interpreter' }, ''],
  [
    { type: 'mcp_call', id: 'mcp_1', name: 'read', arguments: '{"a": 1', output: 'text' },
    { name: 'read', arguments: '{"a": 1}' },
    'text',
  ],
  [
    { type: 'mcp_call', id: 'mcp_1', name: 'read', arguments: '{}', output: null, error: { code: 1 } },
    { name: 'read' },
    '{"code":1}',
  ],
  [{ type: 'mcp_call', id: 'mcp_1', name: 'read', arguments: '{}' }, { name: 'read' }, ''],
])('the result of a hosted tool is kept as a call and its output: %j', (item, call, output) => {
  const { items, notes } = normalize(item);
  expect(items).toMatchObject([
    { type: 'function_call', call_id: item.id, ...call },
    { type: 'function_call_output', call_id: item.id, output },
  ]);
  expect(notes).toMatchObject({ repaired: 0, droppedTools: new Set() });
});

it('a call of a hosted tool without its result is left out, and reported', () => {
  const { items, notes } = normalize(
    { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'q' } },
    { type: 'file_search_call', id: 'fs_1', queries: ['q'], results: null },
    { type: 'mcp_list_tools', id: 'mcpl_1', server_label: 'x', tools: [] },
    { type: 'image_generation_call', id: 'ig_1', result: 'iVBOR' },
  );
  expect(items).toEqual([]);
  expect([...notes.droppedTools]).toEqual([
    'web_search_call',
    'file_search_call',
    'mcp_list_tools',
    'image_generation_call',
  ]);
});

it('a screenshot is an image, and every action is kept', () => {
  const image_url = 'data:image/png;base64,AA==';
  const { items } = normalize(
    { type: 'computer_call', call_id: '1', id: 'cu_1', action: { type: 'screenshot' } },
    { type: 'computer_call_output', call_id: '1', output: { type: 'computer_screenshot', image_url } },
  );
  expect(items).toMatchObject([
    { type: 'function_call', call_id: '1', name: 'computer', arguments: '{"type":"screenshot"}' },
    { type: 'function_call_output', call_id: '1', output: [{ type: 'input_image', image_url }] },
  ]);
});

it('a call without an id has one of its own, in each place', () => {
  const call = { type: 'mcp_call', name: 'read', arguments: '{}', output: 'x' };
  const ids = normalize(call, call).items.map((item) => 'call_id' in item && item.call_id);
  expect(ids[0]).toBe(ids[1]);
  expect(new Set(ids).size).toBe(2);
});
