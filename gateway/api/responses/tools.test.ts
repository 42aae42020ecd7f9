import { describe, expect, it } from 'vitest';
import type { ToolAliases } from '../normalization.ts';
import { CustomInputReader, readCustomInput, ToolAliasRewriter } from './tools.ts';

const unchanged = { rewriteEvents: (events: Buffer) => events, rewriteBody: (body: Buffer) => body };
const aliases: ToolAliases = new Map([
  ['patch', { type: 'custom', name: 'patch', namespace: undefined }],
  ['fs__read', { type: 'function', name: 'read', namespace: 'fs' }],
]);
const input = 'a "b"\n\\ 😀 é\t{"input":"x"}';

describe('CustomInputReader', () => {
  it.each([JSON.stringify({ input }), `{ "input" : ${JSON.stringify(input)} }`])(
    'reads the input however the arguments are cut: %j',
    (json) => {
      for (let size = 1; size < json.length; size++) {
        const reader = new CustomInputReader();
        const pieces: string[] = [];
        for (let at = 0; at < json.length; at += size) pieces.push(reader.add(json.slice(at, at + size)));
        expect(pieces.join('')).toBe(input);
      }
      expect(readCustomInput(json)).toBe(input);
    },
  );

  it('reads what there is of an input that was cut off, and returns other arguments unchanged', () => {
    expect(readCustomInput('{"input":"half of')).toBe('half of');
    expect(readCustomInput('{"other":1}')).toBe('{"other":1}');
  });
});

describe('ToolAliasRewriter', () => {
  const call = (name: string, args: string) => ({
    type: 'function_call',
    id: 'fc_1',
    call_id: 'call_1',
    name,
    arguments: args,
    status: 'completed',
  });
  const json = JSON.stringify({ input });
  const custom = {
    type: 'custom_tool_call',
    id: 'ctc_1',
    call_id: 'call_1',
    name: 'patch',
    status: 'completed',
  };

  it('converts the calls of a JSON response', () => {
    const output = [call('patch', json), call('fs__read', '{}'), call('other', '{}')];
    const body = Buffer.from(JSON.stringify({ object: 'response', output }));
    const rewritten = JSON.parse(new ToolAliasRewriter(unchanged, aliases).rewriteBody(body).toString());
    expect(rewritten.output).toEqual([
      { ...custom, input },
      { ...call('read', '{}'), namespace: 'fs' },
      call('other', '{}'),
    ]);
  });

  it('converts the events of a stream and keeps their order and numbers', () => {
    const half = Math.floor(json.length / 2);
    const place = { item_id: 'fc_1', output_index: 0 };
    const sent = [
      { type: 'response.output_item.added', output_index: 0, item: call('patch', ''), sequence_number: 1 },
      {
        type: 'response.function_call_arguments.delta',
        ...place,
        delta: json.slice(0, half),
        sequence_number: 2,
      },
      {
        type: 'response.function_call_arguments.delta',
        ...place,
        delta: json.slice(half),
        sequence_number: 3,
      },
      { type: 'response.function_call_arguments.done', ...place, arguments: json, sequence_number: 4 },
      { type: 'response.output_item.done', output_index: 0, item: call('patch', json), sequence_number: 5 },
      { type: 'response.completed', response: { output: [call('patch', json)] }, sequence_number: 6 },
    ];
    const rewriter = new ToolAliasRewriter(unchanged, aliases);
    const events = sent
      .map((event) =>
        rewriter
          .rewriteEvents(Buffer.from(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`))
          .toString(),
      )
      .map((block) => JSON.parse(/^event: \S+\ndata: (.*)\n\n$/s.exec(block)?.[1] ?? ''));
    expect(events.map(({ type }) => type.replace('response.', ''))).toEqual([
      'output_item.added',
      'custom_tool_call_input.delta',
      'custom_tool_call_input.delta',
      'custom_tool_call_input.done',
      'output_item.done',
      'completed',
    ]);
    expect(events.map((event) => Object.entries(event).at(-1))).toEqual(
      [1, 2, 3, 4, 5, 6].map((n) => ['sequence_number', n]),
    );
    expect(events[1].delta + events[2].delta).toBe(input);
    expect(events[3]).toMatchObject({ item_id: 'ctc_1', input });
    expect(events[4].item).toEqual({ ...custom, input });
    expect(events[5].response.output).toEqual([{ ...custom, input }]);
  });
});
