import { expect, it } from 'vitest';
import { getCompletionPrefix } from './aggregation.ts';

const user = { role: 'user', content: 'x' };
const said = (content: unknown, more = {}) => ({ role: 'assistant', content, ...more });
const part = (text: string) => ({ type: 'text', text });

it.each([
  ['chat', { messages: [user] }, ''],
  ['chat', { messages: [] }, ''],
  ['chat', { messages: [null] }, ''],
  ['chat', { messages: [user, said('a'), user] }, ''],
  ['chat', { messages: [user, said('It begins ')] }, 'It begins '],
  ['chat', { messages: [user, said('{"n":')] }, '{"n":'],
  ['chat', { messages: [user, said(null)] }, ''],
  ['chat', { messages: [user, said([part('one')])] }, 'one'],
  ['chat', { messages: [user, said('a')], echo: true }, ''],
  ['chat', { messages: [user, said('a')], continue_final_message: true }, 'a'],
  ['chat', { messages: [user, said('a')], continue_final_message: 'reasoning_content' }, undefined],
  ['message', { messages: [user, said([part('one')])] }, ''],
  ['message', { messages: [user, said([part('one')])], tools: [] }, ''],
  ['chat', { messages: [user, said([part('one'), part('two')])] }, undefined],
  ['chat', { messages: [user, said([{ type: 'image_url' }])] }, undefined],
  ['chat', { messages: [user, said(5)] }, undefined],
  ['chat', { messages: [user, said('a', { reasoning_content: 'b' })] }, undefined],
  ['chat', { messages: [user, said('a', { tool_calls: [] })] }, undefined],
  ['chat', { messages: [user, said('a')], tools: [] }, undefined],
  ['chat', { messages: [user, said('<think>a')] }, undefined],
  ['chat', { messages: [user, said('[TOOL_CALLS]')] }, undefined],
  ['response', { input: [user, said('a')] }, ''],
  ['completion', { prompt: 'x' }, ''],
] as const)('%s %j begins with %j', (shape, fields, expected) => {
  expect(getCompletionPrefix(shape, fields)).toBe(expected);
});
