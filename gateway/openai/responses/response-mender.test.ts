import { describe, expect, it } from 'vitest';
import { repeatedFields } from './repeated-fields.ts';
import { ResponseMender } from './response-mender.ts';

const mender = () =>
  new ResponseMender({ model: 'horse', createdAt: 1_700_000_000, repeated: repeatedFields({}) });

describe('ResponseMender', () => {
  it.each([
    ':\n\n',
    'error: {"code":500}\n\n',
    'data: {"error":{"code":500}}\n\n',
    'event: x\ndata: {"half\n\n',
    'event: x\ndata: null\n\n',
  ])('passes %j as it is', (text) => {
    const one = mender();
    expect(one.events(Buffer.from(text)).toString()).toBe(text);
    expect(one.whole(Buffer.from(text)).toString()).toBe(text);
  });

  it('counts on from one piece to the next', () => {
    const one = mender();
    const event = Buffer.from('event: response.queued\ndata: {"type":"response.queued"}\n\n');
    const pieces = [one.events(Buffer.concat([event, event])), one.events(event)];
    const numbers = pieces.join('').match(/"sequence_number":\d/g);
    expect(numbers).toEqual([0, 1, 2].map((number) => `"sequence_number":${number}`));
    expect(pieces[1]?.toString()).toBe(
      'event: response.queued\ndata: {"type":"response.queued","sequence_number":2}\n\n',
    );
  });

  it('takes U+2028 in a text for no end of the line', () => {
    const event = { type: 'response.output_text.delta', delta: 'a\u2028b' };
    const mended = mender().events(Buffer.from(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`));
    expect(mended.toString()).toContain('"sequence_number":0');
    expect(mended.toString()).toContain('a\u2028b');
  });

  it('gives an event the name of its mended type', () => {
    const response = { status: 'completed', usage: { output_tokens: 3 } };
    const event = `event: response.completed\ndata: ${JSON.stringify({ type: 'response.completed', response })}\n\n`;
    const cut = new ResponseMender({
      model: 'h',
      createdAt: 1,
      repeated: repeatedFields({ max_output_tokens: 3 }),
    });
    expect(cut.events(Buffer.from(event)).toString()).toMatch(
      /^event: response\.incomplete\ndata: \{"type":"response\.incomplete",.*"status":"incomplete".*\}\n\n$/,
    );
  });
});
