import { expect, it } from 'vitest';
import { errorText, responseText, usageOf } from './result-text.ts';

it('a result is one line, whatever the answer contains', () => {
  const json = '{\r\n  "text": "x\\ny\u2028",\n  "seed": 9223372036854775807\n}\n';
  const text = responseText('batch_req_1', 'a\n"b', { status: 200, requestId: 'r', json });
  expect(text).toContain('9223372036854775807');
  expect(text).not.toContain('\n');
  expect(JSON.parse(text)).toEqual({
    id: 'batch_req_1',
    custom_id: 'a\n"b',
    response: { status_code: 200, request_id: 'r', body: { text: 'x\ny\u2028', seed: 2 ** 63 } },
    error: null,
  });
});

it('a line without an answer says why', () => {
  expect(JSON.parse(errorText('batch_req_1', 'a', 'batch_expired', 'too late'))).toEqual({
    id: 'batch_req_1',
    custom_id: 'a',
    response: null,
    error: { code: 'batch_expired', message: 'too late' },
  });
});

it.each([
  [
    'chat completions',
    {
      ...{ prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
      ...{ prompt_tokens_details: { cached_tokens: 4 }, completion_tokens_details: { reasoning_tokens: 2 } },
    },
    [10, 4, 5, 2],
  ],
  ['embeddings', { prompt_tokens: 7, total_tokens: 7 }, [7, 0, 0, 0]],
  [
    'responses',
    {
      ...{ input_tokens: 10, input_tokens_details: { cached_tokens: 3 } },
      ...{ output_tokens: 5, output_tokens_details: { reasoning_tokens: 1 } },
    },
    [10, 3, 5, 1],
  ],
  ['messages', { input_tokens: 6, cache_read_input_tokens: 4, output_tokens: 5 }, [10, 4, 5, 0]],
])('reads the usage of %s', (_, usage, [inputTokens, cachedTokens, outputTokens, reasoningTokens]) => {
  expect(usageOf({ usage })).toEqual({ inputTokens, cachedTokens, outputTokens, reasoningTokens });
});

it.each([null, 'text', {}, { usage: null }, { usage: {} }, { usage: { prompt_tokens: 'many' } }])(
  'finds no usage in %j',
  (body) => expect(usageOf(body)).toBeUndefined(),
);
