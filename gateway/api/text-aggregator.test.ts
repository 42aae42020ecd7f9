import { describe, expect, it } from 'vitest';
import { findEventEnd, formatEvent, parseEvents } from '../../sse/sse.ts';
import type { EventAggregator } from './aggregation.ts';
import { MessageAggregator } from './anthropic/aggregate.ts';
import { ChatAggregator, CompletionAggregator } from './openai/aggregate.ts';
import type { CompletionShape } from './route-table.ts';
import { TextAggregator } from './text-aggregator.ts';

const chat = (delta: object, more: object = {}, index = 0) =>
  formatEvent({ choices: [{ finish_reason: null, index, delta, ...more }], id: 'one', created: 1 });
const completion = (text: string, more: object = {}) =>
  formatEvent({ choices: [{ text, index: 0, logprobs: null, finish_reason: null, ...more }], id: 'one' });
const message = (delta: object, index = 0) =>
  formatEvent({ type: 'content_block_delta', index, delta }, 'content_block_delta');
const block = (type: string, index: number) =>
  formatEvent({ type: 'content_block_start', index, content_block: { type } }, 'content_block_start');
const logprobs = { content: [{ token: 'a', logprob: -1 }] };
const call = [{ index: 0, id: 'c', function: { name: 'f', arguments: '{"a"' } }];

const awkward = [
  'say "hi"',
  '\\',
  '"delta":{"content":"x"}',
  '"logprobs":{}',
  '\n\n',
  '🐎',
  '',
  '\ud83d',
  '\ude00',
];

/** Pieces that begin, continue and interrupt a text. */
const pieces = {
  chat: [
    ...awkward.map((content) => chat({ content })),
    chat({ role: 'assistant', content: null }),
    chat({ role: 'assistant', content: 'a' }),
    chat({ reasoning_content: 'hm' }),
    chat({ content: 'a' }, { logprobs }),
    chat({ content: 'a' }, { logprobs: null }),
    chat({ content: 'a' }, {}, 1),
    chat({ content: 'a', refusal: 'b' }),
    chat({ tool_calls: call }),
    formatEvent({ choices: [0, 1].map((index) => ({ index, delta: { content: 'a' } })) }),
    formatEvent({ choices: [], usage: { completion_tokens: 3 } }),
    'data: null\n\n',
  ],
  completion: [
    ...awkward.map((text) => completion(text)),
    completion('a', { logprobs }),
    completion('a', { index: 1 }),
    formatEvent({ choices: [0, 1].map((index) => ({ index, text: 'a' })) }),
  ],
  message: [
    ...awkward.map((text) => message({ type: 'text_delta', text })),
    message({ type: 'text_delta', text: 'a' }, 1),
    message({ type: 'text_delta', text: 'a', citation: 'b' }),
    message({ type: 'thinking_delta', thinking: 'hm' }, 1),
    message({ type: 'signature_delta', signature: 's' }, 1),
    message({ type: 'input_json_delta', partial_json: '{"a"' }, 2),
    formatEvent({ type: 'ping' }, 'ping'),
  ],
} as const;

const borders: Readonly<Record<keyof typeof pieces, readonly [begin: string, end: string]>> = {
  chat: ['', chat({}, { finish_reason: 'stop' }) + chat({}, { finish_reason: 'stop' }, 1)],
  completion: [
    '',
    completion('', { finish_reason: 'stop' }) + completion('', { index: 1, finish_reason: 'stop' }),
  ],
  message: [
    formatEvent({ type: 'message_start', message: { id: 'one', usage: {} } }) +
      block('text', 0) +
      block('thinking', 1) +
      block('tool_use', 2),
    formatEvent({ type: 'message_stop' }),
  ],
};

const createAggregator = {
  chat: () => new ChatAggregator(() => ''),
  completion: () => new CompletionAggregator(),
  message: () => new MessageAggregator(),
};

/** Adds the events as the relay does. */
function addAll(aggregator: TextAggregator, events: Buffer): void {
  for (let at = 0; at < events.length; ) {
    const textEnd = aggregator.addText(events, at);
    const end = textEnd === -1 ? findEventEnd(events, at) : textEnd;
    if (textEnd === -1) for (const event of parse(events.toString('utf8', at, end))) aggregator.add(event);
    at = end;
  }
}

const parse = (text: string) => (text === 'data: null\n\n' ? [null] : parseEvents(text));

describe.each(['chat', 'completion', 'message'] as const)('the aggregator of a %s', (shape) => {
  it('gives what the same events give when each is parsed, however they are divided into chunks', () => {
    let state = 7;
    const random = (below: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const known = pieces[shape];
    const [begin, end] = borders[shape];
    for (let round = 0; round < 300; round++) {
      // Every other round is mostly text.
      const choices = round % 2 === 0 ? known.length : awkward.length + 1;
      const events = [begin, ...Array.from({ length: 15 }, () => known[random(choices)] ?? ''), end];
      const expected = createAggregator[shape]();
      for (const event of events.join('').split(/(?<=\n\n)/))
        for (const data of parse(event)) expected.add(data);
      const actual = new TextAggregator(shape, createAggregator[shape]());
      const cut = 1 + random(events.length);
      for (const part of [events.slice(0, cut), events.slice(cut)])
        addAll(actual, Buffer.from(part.join('')));
      expect(actual.result()).toEqual(expected.result());
      expect(actual.result(), 'the same again').toEqual(expected.result());
    }
  });
});

it.each<[CompletionShape, (text: string) => string]>([
  ['chat', (content) => chat({ content })],
  ['completion', (text) => completion(text)],
  ['message', (text) => message({ type: 'text_delta', text })],
  ['response', (delta) => formatEvent({ type: 'response.output_text.delta', item_id: 'm', delta })],
])('a %s of a hundred pieces of text is parsed once', (shape, piece) => {
  const added: unknown[] = [];
  const counting: EventAggregator = { add: (event) => added.push(event), result: () => undefined };
  const aggregator = new TextAggregator(shape, counting);
  for (let n = 0; n < 100; n++) addAll(aggregator, Buffer.from(piece('ab')));
  aggregator.result();
  expect(added).toEqual(parseEvents(piece('ab'.repeat(100))));
});

it('an error is no text, whatever it holds', () => {
  const error = Buffer.from(formatEvent({ error: { text: 'a' } }));
  const never: EventAggregator = { add: () => expect.unreachable(), result: () => undefined };
  const aggregator = new TextAggregator('completion', never);
  expect(aggregator.addText(error, 0)).toBe(-1);
  aggregator.result();
});
