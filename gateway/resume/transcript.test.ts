import { describe, expect, it } from 'vitest';
import type { CompletionShape } from '../api/route-table.ts';
import { Transcript } from './transcript.ts';

const event = (data: object, name?: string) =>
  Buffer.from(`${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`);
const chat = (delta: object) => event({ choices: [{ finish_reason: null, index: 0, delta }], id: 'one' });
const finish = event({ choices: [{ finish_reason: 'stop', index: 0, delta: {} }] });
const role = chat({ role: 'assistant', content: null });

function hear(shape: CompletionShape, ...pieces: readonly Buffer[]) {
  const spoken = new Transcript(shape);
  for (const piece of pieces) spoken.add(piece);
  return spoken;
}

/** Quotes, escapes, a mark of our own inside a text, and characters of several bytes. */
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
])('of a %s', (shape, textEvent) => {
  it('keeps the text to the letter, however its events are put into pieces', () => {
    const events = awkward.map(textEvent);
    for (const pieces of [
      events,
      [Buffer.concat(events)],
      [Buffer.concat(events.slice(0, 3)), ...events.slice(3)],
    ]) {
      const { text, hasOtherContent } = hear(shape, ...pieces);
      expect(text).toEqual({ content: awkward.join(''), reasoning: '' });
      expect(hasOtherContent).toBe(false);
    }
  });
});

describe('of a chat', () => {
  it('tells thought and text apart', () => {
    const spoken = hear('chat', role, chat({ reasoning_content: 'hm' }), chat({ content: 'yes' }));
    expect(spoken.text).toEqual({ content: 'yes', reasoning: 'hm' });
    expect(spoken.generated).toBe(2);
  });

  it.each([{ tool_calls: [{ index: 0 }] }, { content: 'a', tool_calls: [] }, { refusal: 'no' }])(
    'knows that %j is more than text',
    (delta) => expect(hear('chat', role, chat(delta)).hasOtherContent).toBe(true),
  );

  it('keeps how it began and how it has begun to end', () => {
    const spoken = hear(
      'chat',
      role,
      chat({ content: 'a' }),
      Buffer.concat([chat({ content: 'b' }), finish]),
    );
    expect(spoken.opening).toBe(`${role}${chat({ content: 'a' })}`);
    expect(spoken.closing).toBe(String(finish));
  });
});

it('of a message, a thought is more than text', () => {
  const delta = { type: 'thinking_delta', thinking: 'hm' };
  const spoken = hear(
    'message',
    event({ type: 'content_block_delta', index: 0, delta }, 'content_block_delta'),
  );
  expect([spoken.hasOtherContent, spoken.generated]).toEqual([true, 1]);
});

it('of a response, the arguments of a call are more than text', () => {
  const type = 'response.function_call_arguments.delta';
  expect(hear('response', event({ type, item_id: 'fc_1', delta: '{' }, type)).hasOtherContent).toBe(true);
});
