import { expect, it } from 'vitest';
import type { CompletionShape } from '../api/route-table.ts';
import { planResume, type ResumePlan } from './plan-resume.ts';

const text = { content: 'Once', reasoning: '' };
const plan = (
  shape: CompletionShape,
  fields: object,
  more: object = {},
  closing = '',
): ResumePlan['action'] =>
  planResume({
    ...{ shape, fields: fields as Record<string, unknown>, sequences: 1, isPartlySent: true, ...more },
    transcript: { generated: 1, hasOtherContent: false, text, opening: '', closing },
  }).action;

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
  ['message', { logprobs: true, n_probs: 3, grammar: 'root ::= "a"', json_schema: {} }, { sequences: 2 }],
  ['message', { messages: [assistant([{ type: 'tool_use' }]), { role: 'user' }] }],
])('a %s with %j is continued', (shape, fields, more) => {
  expect(plan(shape, fields, more)).toBe('continue');
});

it.each<[CompletionShape, object, object?]>([
  ['chat', { logprobs: true }],
  ['chat', { n_probs: 2 }],
  ['completion', { logprobs: 1 }],
  ['response', { include: ['reasoning.encrypted_content', 'message.output_text.logprobs'] }],
  ['chat', {}, { sequences: 2 }],
  ['chat', { grammar: 'root ::= "a"' }],
  ['response', { grammar: 'root ::= "a"' }],
  ['completion', { json_schema: {} }],
  ['completion', { response_format: schema }],
  ['chat', { messages: [assistant('x', { tool_calls: [{}] })] }],
  ['message', { messages: [assistant([{ type: 'text' }, { type: 'tool_use' }])] }],
  ['response', { input: [{ role: 'user' }, call] }],
  ['response', { input: [{ role: 'user' }, call, assistant('x')] }],
])('a %s with %j is not continued', (shape, fields, more) => {
  expect(plan(shape, fields, more)).toBe('fail');
});

const finish = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n';

it('a stream that lacks only its end marker is closed if the client has the rest, and otherwise continued', () => {
  expect(plan('chat', {}, {}, finish)).toBe('close');
  expect(plan('chat', {}, { isPartlySent: false }, finish)).toBe('continue');
  expect(plan('chat', { stream_options: { include_usage: true } }, {}, finish)).toBe('continue');
});

it.each<[CompletionShape, object]>([
  ['message', { type: 'content_block_start', index: 1, content_block: { type: 'tool_use' } }],
  ['response', { type: 'response.output_item.added', item: { type: 'function_call' } }],
])('a %s is not continued after a tool call was announced', (shape, event) => {
  expect(plan(shape, {}, {}, `event: x\ndata: ${JSON.stringify(event)}\n\n`)).toBe('fail');
});

const announced = (item: object) =>
  `event: x\ndata: ${JSON.stringify({ type: 'response.output_item.added', item })}\n\n`;

it.each([
  ['message', 'restart'],
  ['reasoning', 'fail'],
  ['function_call', 'fail'],
  ['custom_tool_call', 'fail'],
])('a response that has only announced a %s gets the plan to %s', (type, action) => {
  const transcript = {
    generated: 0,
    hasOtherContent: false,
    text,
    opening: announced({ type }),
    closing: '',
  };
  const stream = { shape: 'response', fields: {}, sequences: 1, isPartlySent: true, transcript } as const;
  expect(planResume(stream).action).toBe(action);
  expect(planResume({ ...stream, isPartlySent: false }).action).toBe('restart');
});
