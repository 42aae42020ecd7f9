import { expect, it } from 'vitest';
import { toMessageResult, toMessageResults } from './message-results.ts';

const line = (fields: object) =>
  JSON.stringify({ id: 'batch_req_1', custom_id: 'one', response: null, error: null, ...fields });
const answered = (status_code: number, body: unknown) =>
  line({ response: { status_code, request_id: 'req_1', body } });
const refusal = {
  type: 'error',
  error: { type: 'invalid_request_error', message: 'no' },
  request_id: 'req_1',
};

it.each([
  ['an answer', answered(200, { id: 'msg_1' }), { type: 'succeeded', message: { id: 'msg_1' } }],
  ["an error in Anthropic's format", answered(400, refusal), { type: 'errored', error: refusal }],
  [
    "an error in OpenAI's format",
    answered(400, { error: { message: 'no', type: 'x', param: null, code: 'y' } }),
    { type: 'errored', error: refusal },
  ],
  [
    'a line that never ran in time',
    line({ error: { code: 'batch_expired', message: 'late' } }),
    { type: 'expired' },
  ],
  [
    'a line of a cancelled batch',
    line({ error: { code: 'batch_cancelled', message: 'stop' } }),
    { type: 'canceled' },
  ],
  [
    'a line without an answer',
    line({ error: { code: 'key_disabled', message: 'no key' } }),
    {
      type: 'errored',
      error: { type: 'error', error: { type: 'api_error', message: 'no key' }, request_id: '' },
    },
  ],
  [
    'a line whose key has ended',
    line({ error: { code: 'invalid_api_key', message: 'no key' } }),
    {
      type: 'errored',
      error: { type: 'error', error: { type: 'authentication_error', message: 'no key' }, request_id: '' },
    },
  ],
])('%s becomes a result', (_, text, result) => {
  expect(toMessageResult(text)).toEqual({ custom_id: 'one', result });
});

it.each([1, 5, 1000])('results are read from all files, which arrive in pieces of %d bytes', async (size) => {
  const exact =
    '{"custom_id":"two","response":{"status_code":200,"body":{"seed":12345678901234567890,"f":1.0}},"error":null}';
  async function* pieces(text: string) {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const found = await Array.fromAsync(
    toMessageResults([
      pieces(`${answered(200, 'ü🚲')}\n${exact}\n`),
      pieces(''),
      pieces(`${answered(400, refusal)}\n`),
    ]),
  );
  expect(Buffer.concat(found).toString()).toBe(
    `{"custom_id":"one","result":{"type":"succeeded","message":"ü🚲"}}
{"custom_id":"two","result":{"type":"succeeded","message":{"seed":12345678901234567890,"f":1.0}}}
{"custom_id":"one","result":{"type":"errored","error":${JSON.stringify(refusal)}}}
`,
  );
});
