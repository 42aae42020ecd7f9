import { describe, expect, it } from 'vitest';
import { judgeResponse } from './judge-response.ts';
import type { LineResponse } from './send-line.ts';

type Responded = Extract<LineResponse, { readonly outcome: 'responded' }>;

const response = (status: number, change: Partial<Responded> = {}): Responded => ({
  ...{ outcome: 'responded', status, requestId: 'r', json: '{"error":{"message":"why"}}' },
  ...{ retryAfterMs: undefined, isFinal: false, keyProblem: undefined, batchSlots: undefined },
  ...change,
});

describe('judgeResponse', () => {
  it.each([200, 201])('%i completes the line', (status) => {
    expect(judgeResponse(response(status), 0, 0)).toEqual({ line: 'completed', response: response(status) });
  });

  it.each([400, 403, 404, 413, 422, 500, 504])('%i is its answer, too: an error line', (status) => {
    expect(judgeResponse(response(status), 0, 0)).toMatchObject({ line: 'failed' });
  });

  it.each([429, 503])('%i lets it wait as long as the gateway says', (status) => {
    const verdict = judgeResponse(response(status, { retryAfterMs: 1234 }), 3, 0);
    expect(verdict).toEqual({ line: 'waits', forMs: 1234, reason: 'why' });
  });

  it('it waits longer after each failure, up to ten seconds', () => {
    const waits = [0, 1, 2, 10, 1000].map((failures) => judgeResponse(response(503), failures, 0));
    expect(waits.map((verdict) => 'forMs' in verdict && verdict.forMs)).toEqual([
      250, 500, 1000, 10_000, 10_000,
    ]);
  });

  it('it waits for a gateway that does not respond', () => {
    const verdict = judgeResponse({ outcome: 'unreachable', reason: 'ECONNREFUSED' }, 0, 0);
    expect(verdict).toMatchObject({ line: 'waits', reason: expect.stringContaining('ECONNREFUSED') });
  });

  it('it waits a minute for a budget that is used up', () => {
    expect(judgeResponse(response(429, { isFinal: true }), 0, 0)).toMatchObject({
      line: 'waits',
      forMs: 60_000,
    });
  });

  it('it is asked again after an engine has failed with it, five times, and not where that is pointless', () => {
    const lines = [0, 4, 5].map((attempts) => judgeResponse(response(502), 0, attempts).line);
    expect(lines).toEqual(['waits', 'waits', 'failed']);
    expect(judgeResponse(response(502, { isFinal: true }), 0, 0).line).toBe('failed');
  });

  it('a line waits alone for its conversation', () => {
    const json = '{"error":{"message":"why","code":"conversation_locked"}}';
    const verdict = judgeResponse(response(400, { json }), 3, 0);
    expect(verdict).toEqual({ line: 'waits alone', forMs: 1000, reason: 'why' });
    expect(judgeResponse(response(200, { json }), 0, 0).line).toBe('completed');
  });

  it('a problem of the key is none of the line', () => {
    expect(judgeResponse(response(401, { keyProblem: 'invalid_api_key' }), 0, 0)).toEqual({
      line: 'refused',
      code: 'invalid_api_key',
      message: 'why',
    });
  });
});
