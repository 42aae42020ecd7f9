import { describe, expect, it } from 'vitest';
import { MessageRewriter } from './rewriters.ts';

const start = (id: string) =>
  `event: message_start\ndata: {"type":"message_start","message":{"id":"${id}","type":"message","content":[],"stop_reason":null,"stop_sequence":null}}\n\n`;
const delta = (reason: string, sequence: string) =>
  `event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"${reason}","stop_sequence":${sequence}},"usage":{"output_tokens":3}}\n\n`;
const textDelta = (text: string) =>
  `event: content_block_delta\ndata: ${JSON.stringify({ type: 'content_block_delta', delta: { type: 'text_delta', text } })}\n\n`;

describe('MessageRewriter', () => {
  it("gives the message an id of Anthropic's form, in the first event and nowhere else", () => {
    const one = new MessageRewriter();
    expect(one.rewriteEvents(Buffer.from(start('chatcmpl-aB1'))).toString()).toBe(start('msg_aB1'));
    const quote = Buffer.from(textDelta(start('chatcmpl-2')));
    expect(one.rewriteEvents(quote)).toBe(quote);
  });

  it('gives the id to a message whose events arrive in one piece', () => {
    const all = start('chatcmpl-1') + textDelta('"id":"chatcmpl-9"') + delta('end_turn', '"x"');
    const expected = start('msg_1') + textDelta('"id":"chatcmpl-9"') + delta('stop_sequence', '"x"');
    expect(new MessageRewriter().rewriteEvents(Buffer.from(all)).toString()).toBe(expected);
  });

  it('finds the stop reason behind other events of one piece', () => {
    const one = new MessageRewriter();
    one.rewriteEvents(Buffer.from(start('chatcmpl-1')));
    const piece = Buffer.from(textDelta('a'));
    expect(one.rewriteEvents(piece)).toBe(piece);
    const all = textDelta('b') + delta('end_turn', '"x"');
    expect(one.rewriteEvents(Buffer.from(all)).toString()).toBe(
      textDelta('b') + delta('stop_sequence', '"x"'),
    );
  });

  it.each([
    ['end_turn', 'null', 'end_turn'],
    ['end_turn', '"the \\"end\\""', 'stop_sequence'],
    ['max_tokens', 'null', 'max_tokens'],
    ['tool_use', 'null', 'tool_use'],
  ])('corrects the stop reason %s with the sequence %s to %s', (reason, sequence, expected) => {
    const event = Buffer.from(delta(reason, sequence));
    expect(new MessageRewriter().rewriteEvents(event).toString()).toBe(delta(expected, sequence));
  });

  it('makes both corrections in a JSON response, and none in the input of a tool', () => {
    const input = '{"id":"chatcmpl-9","stop_reason":"end_turn","stop_sequence":"a","n":12345678901234567890}';
    const message = (id: string, reason: string, sequence: string) =>
      `{"id":"${id}","type":"message","content":[{"type":"tool_use","input":${input}}],"stop_reason":"${reason}","stop_sequence":${sequence},"usage":{}}`;
    const rewrite = (text: string) => new MessageRewriter().rewriteBody(Buffer.from(text)).toString();
    expect(rewrite(message('chatcmpl-1', 'end_turn', '"b"'))).toBe(message('msg_1', 'stop_sequence', '"b"'));
    expect(rewrite(message('chatcmpl-1', 'tool_use', 'null'))).toBe(message('msg_1', 'tool_use', 'null'));
    expect(rewrite('{"error":{}}')).toBe('{"error":{}}');
  });
});
