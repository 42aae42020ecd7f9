import { describe, expect, it } from 'vitest';
import type { Dialect } from './route-table.ts';
import { areOrdinary, countGeneratedEvents, createMarker, findMarker, hasEnded } from './stream-markers.ts';

describe('hasEnded', () => {
  it.each([
    ['openai', 'data: {}\n\ndata: [DONE]\n\n'],
    ['responses', 'event: response.incomplete\ndata: {}\n\n'],
    ['responses', 'event: response.failed\ndata: {}\n\n'],
    ['anthropic', 'event: message_stop\ndata: {}\n\n'],
    ['anthropic', 'event: error\ndata: {}\n\n'],
    ['native', 'data: {"content":"","stop":true,"timings":{}}\n\n'],
    ['openai', 'data: {"error":{"message":"x"}}\n\n'],
    ['openai', 'error: {"code":500}\n\n'],
  ] as const)('an %s stream has ended with %j', (dialect, tail) =>
    expect(hasEnded(dialect, tail)).toBe(true),
  );

  it.each([
    ['openai', ''],
    ['openai', 'data: {"content":"data: [DONE]"}\n\n'],
    ['openai', 'data: {"content":"error: {}"}\n\n'],
    ['responses', 'event: response.created\ndata: {"x":"event: response.completed"}\n\n'],
    ['responses', 'event: response.completed.soon\n'],
    ['anthropic', 'data: [DONE]\n\n'],
    ['native', 'data: {"content":"\\"stop\\":true","stop":false}\n\n'],
  ] as const)('an %s stream has not ended with %j', (dialect, tail) =>
    expect(hasEnded(dialect, tail)).toBe(false),
  );
});

/** From llama-server 0.7.0, shortened. */
const streams: [name: string, dialect: Dialect, events: string[], generated: number][] = [
  [
    'a chat',
    'openai',
    [
      '{"choices":[{"finish_reason":null,"index":0,"delta":{"role":"assistant","content":null}}]}',
      '{"choices":[{"finish_reason":null,"index":0,"delta":{"reasoning_content":"hm"}}]}',
      '{"choices":[{"finish_reason":null,"index":0,"delta":{"content":"Everyone"}}]}',
      '{"choices":[{"finish_reason":null,"index":0,"delta":{"tool_calls":[{"index":0}]}}]}',
      '{"choices":[{"finish_reason":"length","index":0,"delta":{}}]}',
      '{"choices":[],"usage":{"completion_tokens":3}}',
      '[DONE]',
    ],
    3,
  ],
  [
    'a completion',
    'openai',
    [
      '{"choices":[{"text":"Hello","index":0,"finish_reason":null}]}',
      '{"choices":[{"text":" you","index":0,"finish_reason":null}]}',
      '{"choices":[{"text":"","index":0,"finish_reason":"length"}]}',
      '[DONE]',
    ],
    2,
  ],
  [
    'a response',
    'responses',
    [
      '{"type":"response.content_part.added","part":{"type":"output_text","text":""}}',
      '{"type":"response.output_text.delta","delta":"Everyone"}',
      '{"type":"response.output_text.done","text":"Everyone"}',
    ],
    1,
  ],
  [
    'a message',
    'anthropic',
    [
      '{"type":"content_block_start","content_block":{"type":"text","text":""}}',
      '{"type":"content_block_delta","delta":{"type":"text_delta","text":"Every"}}',
      '{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"hm"}}',
      '{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}',
    ],
    2,
  ],
  [
    'a native completion',
    'native',
    ['{"index":0,"content":"Hello","stop":false}', '{"index":0,"content":"","stop":true}'],
    1,
  ],
];

describe('countGeneratedEvents', () => {
  it.each(streams)(
    'counts the events of %s, in one chunk and event by event',
    (_, dialect, events, generated) => {
      const pieces = events.map((data) => Buffer.from(`data: ${data}\n\n`));
      expect(countGeneratedEvents(dialect, Buffer.concat(pieces))).toBe(generated);
      expect(pieces.reduce((sum, piece) => sum + countGeneratedEvents(dialect, piece), 0)).toBe(generated);
    },
  );

  it('counts no event twice whose text contains a marker', () => {
    const event = JSON.stringify({
      choices: [{ delta: { content: '"delta":{"content":"x"} "text":"y"' } }],
    });
    expect(countGeneratedEvents('openai', Buffer.from(`data: ${event}\n\n`))).toBe(1);
  });
});

describe('areOrdinary', () => {
  const ordinary = [
    'data: {"choices":[{"delta":{"content":"error: {"}}]}\n\n',
    'event: ping\ndata: {"type":"ping"}\n\n',
    'data: {"errors":[]}\n\n',
    'data: [DONE]\n\n',
  ];
  const special = [
    ': keep-alive\n\n',
    'data: null\n\n',
    'data: {"error":{}}\n\n',
    'event: error\ndata: {"x":1}\n\n',
    'error: {}\n\n',
    '\n',
  ];

  it.each(special)('finds %j at any place', (event) => {
    for (const events of [
      [event],
      [event, ...ordinary],
      [...ordinary, event],
      [ordinary[0], event, ordinary[1]],
    ])
      expect(areOrdinary(Buffer.from(events.join('')))).toBe(false);
  });

  it('accepts events with data, and the beginning of one', () => {
    expect(areOrdinary(Buffer.from(ordinary.join('')))).toBe(true);
    expect(areOrdinary(Buffer.from(`${ordinary.join('')}data: {"choi`))).toBe(true);
  });
});

it('findMarker finds what a search for all bytes finds', () => {
  const marker = createMarker('"delta":{"', '{');
  for (const text of ['', '{', '"delta":{', '"delta":{"', '{{"delta":{"a"delta":{"', '"delta":["delta":{"'])
    for (let from = 0; from <= text.length; from++)
      expect(findMarker(marker, Buffer.from(text), from)).toBe(text.indexOf('"delta":{"', from));
});
