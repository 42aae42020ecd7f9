import { describe, expect, it } from 'vitest';
import { getEchoedFields } from './echoed-fields.ts';
import { ResponsesApiRewriter } from './rewriter.ts';
import { completeEvent, initialStreamState } from './stream-state.ts';

const createRewriter = () =>
  new ResponsesApiRewriter({ model: 'horse', createdAt: 1_700_000_000, echoed: getEchoedFields({}) });

describe('ResponsesApiRewriter', () => {
  it.each([
    ':\n\n',
    'error: {"code":500}\n\n',
    'data: {"error":{"code":500}}\n\n',
    'event: x\ndata: {"half\n\n',
    'event: x\ndata: null\n\n',
  ])('does not change %j', (text) => {
    const rewriter = createRewriter();
    expect(rewriter.rewriteEvents(Buffer.from(text)).toString()).toBe(text);
    expect(rewriter.rewriteBody(Buffer.from(text)).toString()).toBe(text);
  });

  it('continues the numbering from one chunk to the next', () => {
    const rewriter = createRewriter();
    const event = Buffer.from('event: response.queued\ndata: {"type":"response.queued"}\n\n');
    const pieces = [rewriter.rewriteEvents(Buffer.concat([event, event])), rewriter.rewriteEvents(event)];
    const numbers = pieces.join('').match(/"sequence_number":\d/g);
    expect(numbers).toEqual([0, 1, 2].map((number) => `"sequence_number":${number}`));
    expect(pieces[1]?.toString()).toBe(
      'event: response.queued\ndata: {"type":"response.queued","sequence_number":2}\n\n',
    );
  });

  const parseEvents = (text: string) =>
    [...text.matchAll(/^event: (\S+)\ndata: (.*)$/gm)].map(([, name, data = '']) => ({
      name,
      ...JSON.parse(data),
    }));
  const formatEvent = (event: { type: string; [field: string]: unknown }) =>
    Buffer.from(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  const created = formatEvent({
    type: 'response.created',
    response: { id: 'resp_engine', object: 'response', status: 'in_progress' },
  });

  it('announces a response before the engine does, with an id that does not change', () => {
    const rewriter = createRewriter();
    const keepAlives = [rewriter.keepAlive(), rewriter.keepAlive()].flatMap(parseEvents);
    expect(keepAlives.map(({ type }) => type)).toEqual([
      'response.created',
      'response.in_progress',
      'response.in_progress',
    ]);
    expect(rewriter.rewriteEvents(created).toString()).toBe('');
    const rest = [
      {
        type: 'response.in_progress',
        response: { id: 'resp_engine', object: 'response', status: 'in_progress' },
      },
      {
        type: 'response.completed',
        response: { id: 'resp_engine', object: 'response', status: 'completed', output: [] },
      },
    ];
    const all = [
      ...keepAlives,
      ...rest.flatMap((event) => parseEvents(rewriter.rewriteEvents(formatEvent(event)).toString())),
    ];
    expect(new Set(all.map(({ response }) => response.id)).size).toBe(1);
    expect(all[0].response.id).toMatch(/^resp_[0-9a-f]{48}$/);
    expect(all.map(({ sequence_number }) => sequence_number)).toEqual([0, 1, 2, 3, 4]);
    expect(all.every(({ name, type }) => name === type)).toBe(true);
  });

  it('keeps the id of the engine where that came first', () => {
    const rewriter = createRewriter();
    rewriter.rewriteEvents(created);
    expect(parseEvents(rewriter.keepAlive())).toMatchObject([
      { type: 'response.in_progress', sequence_number: 1, response: { id: 'resp_engine' } },
    ]);
  });

  const added = (type: string, id: string) =>
    formatEvent({ type: 'response.output_item.added', item: { type, id } });
  it.each([
    ['text', 'message', 'msg_1', { type: 'response.output_text.delta', content_index: 0, logprobs: [] }],
    ['a thought', 'reasoning', 'rs_1', { type: 'response.reasoning_text.delta', content_index: 0 }],
    ['a call', 'function_call', 'fc_1', { type: 'response.function_call_arguments.delta' }],
  ])('sends an empty delta for %s in progress, which every client can append', (_, type, id, expected) => {
    const rewriter = createRewriter();
    const part = { type: 'response.content_part.added', item_id: id, part: { type: 'output_text' } };
    for (const event of [created, added(type, id)]) rewriter.rewriteEvents(event);
    if (type !== 'function_call') rewriter.rewriteEvents(formatEvent(part));
    expect(parseEvents(rewriter.keepAlive())).toMatchObject([
      { ...expected, item_id: id, output_index: 0, delta: '' },
    ]);
  });

  it('sends nothing where no delta can be appended', () => {
    const rewriter = createRewriter();
    for (const event of [created, added('message', 'msg_1')]) rewriter.rewriteEvents(event);
    expect(rewriter.keepAlive()).toBe('');
    rewriter.rewriteEvents(
      formatEvent({ type: 'response.content_part.added', item_id: 'msg_1', part: { type: 'output_text' } }),
    );
    expect(rewriter.keepAlive()).not.toBe('');
    rewriter.rewriteEvents(
      formatEvent({ type: 'response.content_part.done', item_id: 'msg_1', part: { type: 'output_text' } }),
    );
    expect(rewriter.keepAlive()).toBe('');
  });

  it.each([0, 1])(
    'ends a failed stream in a way that every client understands, after %s keep-alives',
    (keepAlives) => {
      const rewriter = createRewriter();
      const before = keepAlives === 0 ? [] : parseEvents(rewriter.keepAlive());
      const broken = {
        status: 503,
        type: 'server_error',
        code: 'queue_timeout',
        message: 'It took too long.',
      };
      const all = [...before, ...parseEvents(rewriter.error(broken))];
      expect(all.map(({ type }) => type)).toEqual([
        'response.created',
        'response.in_progress',
        'response.failed',
        'error',
      ]);
      expect(all.map(({ sequence_number }) => sequence_number)).toEqual([0, 1, 2, 3]);
      const { code, message } = broken;
      expect(all[3]).toMatchObject({ code, message, param: null });
      expect(all[2].response).toEqual({
        ...all[0].response,
        status: 'failed',
        error: { code: 'server_error', message },
      });
    },
  );

  it('does not treat U+2028 in a text as the end of a line', () => {
    const event = { type: 'response.output_text.delta', delta: 'a\u2028b' };
    const rewritten = createRewriter().rewriteEvents(
      Buffer.from(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`),
    );
    expect(rewritten.toString()).toContain('"sequence_number":0');
    expect(rewritten.toString()).toContain('a\u2028b');
  });

  it('gives an event the name of its corrected type', () => {
    const response = { status: 'completed', usage: { output_tokens: 3 } };
    const event = `event: response.completed\ndata: ${JSON.stringify({ type: 'response.completed', response })}\n\n`;
    const cut = new ResponsesApiRewriter({
      model: 'h',
      createdAt: 1,
      echoed: getEchoedFields({ max_output_tokens: 3 }),
    });
    expect(cut.rewriteEvents(Buffer.from(event)).toString()).toMatch(
      /^event: response\.incomplete\ndata: \{"type":"response\.incomplete",.*"status":"incomplete".*\}\n\n$/,
    );
  });

  it('rewrites deltas as it rewrites parsed events, however they are divided into chunks', () => {
    const texts = ['a', ' token', 'é🐎', 'say \\"hi\\"', '\\n', '\\u007f', '', '7', 'a', 'b'];
    const deltas = (type: string, item_id: string) =>
      texts.map((text) =>
        Buffer.from(`event: ${type}\ndata: {"type":"${type}","item_id":"${item_id}","delta":"${text}"}\n\n`),
      );
    const more = deltas('response.output_text.delta', 'msg_1').map((delta) =>
      Buffer.from(delta.toString().replace('"}\n', '","more":1}\n')),
    );
    const item = (type: string, id: string) => ({ item: { id, type }, output_index: 9 });
    const events = [
      created,
      formatEvent({ type: 'response.output_item.added', ...item('reasoning', 'rs_1') }),
      ...deltas('response.reasoning_text.delta', 'rs_1'),
      formatEvent({ type: 'response.output_item.done', ...item('reasoning', 'rs_1') }),
      formatEvent({ type: 'response.output_item.added', ...item('message', 'msg_1') }),
      ...deltas('response.output_text.delta', 'msg_1'),
      formatEvent({ type: 'response.output_item.added', ...item('function_call', 'fc_1') }),
      ...deltas('response.function_call_arguments.delta', 'fc_1'),
      ...deltas('response.output_text.delta', 'unknown'),
      ...deltas('response.output_text.delta', 'msg_1'),
      ...more,
    ];
    for (let size = 1; size <= 7; size++) {
      const rewriter = createRewriter();
      let state = initialStreamState({
        model: 'horse',
        createdAt: 1_700_000_000,
        echoed: getEchoedFields({}),
      });
      for (let from = 0; from < events.length; from += size) {
        const chunk = Buffer.concat(events.slice(from, from + size));
        let expected = '';
        for (const { name: _, ...event } of parseEvents(chunk.toString())) {
          const step = completeEvent(state, event);
          state = step.state;
          for (const each of step.events) expected += formatEvent(each as { type: string });
        }
        expect(rewriter.rewriteEvents(chunk).toString()).toBe(expected);
        // Events of the gateway's own are numbered as well.
        state = { ...state, next: state.next + parseEvents(rewriter.keepAlive()).length };
      }
    }
  });
});
