import { expect, it } from 'vitest';
import type { CompletionShape } from '../api/route-table.ts';
import { planResume, type ResumePlan } from './plan-resume.ts';

const said = { content: 'Once', reasoning: '' };
const plan = (shape: CompletionShape, fields: object, more: object = {}, closing = ''): ResumePlan['how'] =>
  planResume({
    ...{ shape, fields: fields as Record<string, unknown>, weight: 1, isPartlySent: true, ...more },
    transcript: { generated: 1, hasOtherContent: false, text: said, closing },
  }).how;

const assistant = (content: unknown, more = {}) => ({ role: 'assistant', content, ...more });
const call = { type: 'function_call', name: 'f', call_id: 'c', arguments: '{}' };
const schema = { type: 'json_schema', json_schema: { schema: {} } };

it.each<[CompletionShape, object, object?]>([
  ['chat', { logprobs: null, top_logprobs: null, n_probs: 0 }],
  ['chat', { logprobs: false }],
  ['chat', { include: ['message.output_text.logprobs'] }],
  ['chat', { grammar: '', response_format: schema }],
  ['chat', { json_schema: {} }],
  ['chat', { messages: [assistant('x', { tool_calls: [] })] }],
  ['completion', { logprobs: 0, response_format: { type: 'text' } }],
  ['response', { include: [] }],
  ['response', { include: null }],
  ['response', { include: ['reasoning.encrypted_content', 'file_search_call.results'] }],
  ['response', { input: [call, { type: 'function_call_output' }, assistant('x')] }],
  ['message', { logprobs: true, n_probs: 3, grammar: 'root ::= "a"', json_schema: {} }, { weight: 2 }],
  ['message', { messages: [assistant([{ type: 'tool_use' }]), { role: 'user' }] }],
])('%s goes on with %j', (shape, fields, more) => {
  expect(plan(shape, fields, more)).toBe('go-on');
});

it.each<[CompletionShape, object, object?]>([
  ['chat', { logprobs: true }],
  ['chat', { n_probs: 2 }],
  ['completion', { logprobs: 1 }],
  ['response', { include: ['reasoning.encrypted_content', 'message.output_text.logprobs'] }],
  ['chat', {}, { weight: 2 }],
  ['chat', { grammar: 'root ::= "a"' }],
  ['response', { grammar: 'root ::= "a"' }],
  ['completion', { json_schema: {} }],
  ['completion', { response_format: schema }],
  ['chat', { messages: [assistant('x', { tool_calls: [{}] })] }],
  ['message', { messages: [assistant([{ type: 'text' }, { type: 'tool_use' }])] }],
  ['response', { input: [{ role: 'user' }, call] }],
  ['response', { input: [{ role: 'user' }, call, assistant('x')] }],
])('%s does not go on with %j', (shape, fields, more) => {
  expect(plan(shape, fields, more)).toBe('none');
});

const finish = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n';

it('what lacks only its end is closed for a client that holds the rest, and else gone on with', () => {
  expect(plan('chat', {}, {}, finish)).toBe('close');
  expect(plan('chat', {}, { isPartlySent: false }, finish)).toBe('go-on');
  expect(plan('chat', { stream_options: { include_usage: true } }, {}, finish)).toBe('go-on');
});

it.each<[CompletionShape, object]>([
  ['message', { type: 'content_block_start', index: 1, content_block: { type: 'tool_use' } }],
  ['response', { type: 'response.output_item.added', item: { type: 'function_call' } }],
])('%s does not go on where a call was announced', (shape, event) => {
  expect(plan(shape, {}, {}, `event: x\ndata: ${JSON.stringify(event)}\n\n`)).toBe('none');
});
