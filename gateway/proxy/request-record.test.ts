import { describe, expect, it } from 'vitest';
import { ResponseTail } from '../upstream/relay.ts';
import { createRequestRecord, getOutcome, reachedStreamEnd } from './request-record.ts';

const record = (error?: string) => ({
  ...createRequestRecord({ id: 'r', method: 'POST', path: '/v1/completions', address: '127.0.0.1' }),
  ...(error !== undefined && { error }),
});

describe('the outcome of a request', () => {
  it.each([
    [undefined, 200, true, { status: 200, outcome: 'ok' }],
    ['queue_full', 503, true, { status: 503, outcome: 'refused' }],
    ['bad_gateway', 200, true, { status: 200, outcome: 'broken_off' }],
    [undefined, 200, false, { status: 499, outcome: 'client_left' }],
    ['client_closed_request', 200, false, { status: 499, outcome: 'client_left' }],
  ])('with error %s, status %d, completed %s', (error, status, completed, end) => {
    expect(getOutcome(record(error), status, completed)).toEqual(end);
  });
});

describe('a stream is complete', () => {
  const streamOf = (...chunks: string[]) => {
    const responseTail = new ResponseTail();
    for (const chunk of chunks) responseTail.add(Buffer.from(chunk));
    return { ...record(), streamed: true, responseTail };
  };

  it('when its end marker has gone out, in any dialect', () => {
    expect(reachedStreamEnd(streamOf('data: {"a":1}\n\n', 'data: [DONE]\n\n'))).toBe(true);
    expect(reachedStreamEnd(streamOf('event: message_stop\ndata: {"type":"message_stop"}\n\n'))).toBe(true);
    expect(reachedStreamEnd(streamOf('event: response.completed\ndata: {}\n\n'))).toBe(true);
  });

  it('not before, whatever the text of the model', () => {
    expect(reachedStreamEnd(streamOf('data: {"content":"data: [DONE]"}\n\n'))).toBe(false);
    expect(reachedStreamEnd(record())).toBe(false);
  });
});
