import { describe, expect, it } from 'vitest';
import type { GenerationResult, Rejected } from './generate-response.ts';
import { judgeGeneration } from './judge-generation.ts';
import { failedEvents, readEvent } from './response-event.ts';

const rejected = (changes: Partial<Rejected>): GenerationResult => ({
  ...{ outcome: 'rejected', status: 400, code: 'a_code', message: 'why', retryAfterMs: undefined },
  ...{ isFinal: false, keyProblem: undefined, beginAnew: undefined },
  ...changes,
});
const failed = (code: string): GenerationResult => ({
  outcome: 'streamed',
  last: failedEvents({ status: 'failed', error: { code: 'server_error' } }, 9, true)[0],
  error: { code, message: 'why' },
});

describe('judgeGeneration', () => {
  it.each<[string, GenerationResult, object]>([
    ['no gateway', { outcome: 'unreachable', reason: 'ECONNREFUSED' }, { isBlamed: false, forMs: 250 }],
    [
      'a stream without an end',
      { outcome: 'streamed', last: undefined, error: undefined },
      { isBlamed: false },
    ],
    ['a limit', rejected({ status: 429, retryAfterMs: 700 }), { isBlamed: false, forMs: 700 }],
    ['a spent budget', rejected({ status: 429, isFinal: true }), { isBlamed: false, forMs: 60_000 }],
    ['a full queue', rejected({ status: 503, retryAfterMs: 900 }), { isBlamed: false, forMs: 900 }],
    ['a crash', rejected({ status: 502 }), { isBlamed: true, forMs: 250 }],
    ['a crash in the stream', failed('bad_gateway'), { isBlamed: true }],
    ['a drain in the stream', failed('draining'), { isBlamed: false }],
  ])('after %s it waits', (_, result, decision) => {
    expect(judgeGeneration(result, 0)).toMatchObject({ response: 'waits', ...decision });
  });

  it('waits longer and longer, up to ten seconds', () => {
    const waits = [0, 1, 2, 20].map((failures) =>
      judgeGeneration({ outcome: 'unreachable', reason: 'ECONNREFUSED' }, failures),
    );
    expect(waits).toMatchObject([{ forMs: 250 }, { forMs: 500 }, { forMs: 1000 }, { forMs: 10_000 }]);
  });

  it('begins anew where the gateway cannot go on, whatever the status is', () => {
    const decision = judgeGeneration(rejected({ status: 502, beginAnew: 'a tool call' }), 0);
    expect(decision).toEqual({ response: 'begins anew', reason: 'a tool call' });
  });

  it.each([
    ['is refused', 'invalid_prompt', rejected({ status: 401, keyProblem: 'invalid_api_key' })],
    ['fails', 'invalid_prompt', rejected({ status: 400 })],
    ['fails', 'context_length_exceeded', rejected({ status: 400, code: 'context_length_exceeded' })],
    ['fails', 'server_error', rejected({ status: 500, isFinal: true })],
    ['fails', 'invalid_prompt', rejected({ status: 422 })],
    ['fails', 'server_error', rejected({ status: 403, code: 'request_cancelled' })],
  ])('%s with the code %s', (response, code, result) => {
    expect(judgeGeneration(result, 0)).toEqual({ response, code, message: 'why' });
  });

  it('ends with the last event, an error of the engine too', () => {
    const completed = readEvent(
      'event: response.completed\ndata: {"type":"response.completed","response":{"status":"completed"},"sequence_number":7}',
    );
    for (const result of [
      failed('engine_error'),
      { outcome: 'streamed', last: completed, error: undefined } as const,
    ])
      expect(judgeGeneration(result, 0)).toMatchObject({ response: 'ends' });
  });
});
