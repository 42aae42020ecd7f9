import { describe, expect, it } from 'vitest';
import { formatEvent } from '../../sse/sse.ts';
import type { CompletionShape } from '../api/route-table.ts';
import { Transcript } from './transcript.ts';

const event = (data: object, name?: string) => Buffer.from(formatEvent(data, name));
const chat = (delta: object) => event({ choices: [{ finish_reason: null, index: 0, delta }], id: 'one' });
const finish = event({ choices: [{ finish_reason: 'stop', index: 0, delta: {} }] });
const role = chat({ role: 'assistant', content: null });

function transcribe(shape: CompletionShape, ...chunks: readonly Buffer[]) {
  const transcript = new Transcript(shape);
  for (const chunk of chunks) transcript.add(chunk);
  return transcript;
}

/** Quotes, escapes, a marker inside a text, and characters of several bytes. */
const awkward = [
  'say "hi"',
  '\\',
  '\\"',
  '"delta":{"content":"x"}',
  '\n\n',
  '🐎 gallops',
  '',
  'é'.repeat(40),
];

describe.each<[CompletionShape, (text: string) => Buffer]>([
  ['chat', (content) => chat({ content })],
  ['completion', (text) => event({ choices: [{ text, index: 0, finish_reason: null }] })],
  [
    'message',
    (text) =>
      event(
        { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
        'content_block_delta',
      ),
  ],
  [
    'response',
    (delta) =>
      event({ type: 'response.output_text.delta', item_id: 'msg_1', delta }, 'response.output_text.delta'),
  ],
])('the transcript of a %s', (shape, textEvent) => {
  it('keeps the exact text, however its events are divided into chunks', () => {
    const events = awkward.map(textEvent);
    for (const chunks of [
      events,
      [Buffer.concat(events)],
      [Buffer.concat(events.slice(0, 3)), ...events.slice(3)],
    ]) {
      const { text, hasOtherContent } = transcribe(shape, ...chunks);
      expect(text).toEqual({ content: awkward.join(''), reasoning: '' });
      expect(hasOtherContent).toBe(false);
    }
  });
});

describe('the transcript of a chat', () => {
  it('separates reasoning and text', () => {
    const transcript = transcribe('chat', role, chat({ reasoning_content: 'hm' }), chat({ content: 'yes' }));
    expect(transcript.text).toEqual({ content: 'yes', reasoning: 'hm' });
    expect(transcript.generated).toBe(2);
  });

  it.each([{ tool_calls: [{ index: 0 }] }, { content: 'a', tool_calls: [] }, { refusal: 'no' }])(
    'notices that %j is not only text',
    (delta) => expect(transcribe('chat', role, chat(delta)).hasOtherContent).toBe(true),
  );

  it('keeps the opening and the closing events', () => {
    const transcript = transcribe(
      'chat',
      role,
      chat({ content: 'a' }),
      Buffer.concat([chat({ content: 'b' }), finish]),
    );
    expect(transcript.opening).toBe(`${role}${chat({ content: 'a' })}`);
    expect(transcript.closing).toBe(String(finish));
  });
});

it('the reasoning of a message is other content', () => {
  const delta = { type: 'thinking_delta', thinking: 'hm' };
  const transcript = transcribe(
    'message',
    event({ type: 'content_block_delta', index: 0, delta }, 'content_block_delta'),
  );
  expect([transcript.hasOtherContent, transcript.generated]).toEqual([true, 1]);
});

it('the arguments of a call in Responses are other content', () => {
  const type = 'response.function_call_arguments.delta';
  expect(transcribe('response', event({ type, item_id: 'fc_1', delta: '{' }, type)).hasOtherContent).toBe(
    true,
  );
});
