import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { replaceLoneSurrogates } from '../../../gateway/api/json.ts';
import { apiForPath, normalizeRequest } from '../../../gateway/api/request/normalize-request.ts';
import { type ParseOptions, parseRequestBody } from '../../../gateway/api/request/parse-request-body.ts';
import { apiRoutes } from '../../../gateway/api/route-table.ts';
import { ApiError } from '../../../gateway/errors/api-error.ts';
import { pure, type Target } from '../target.ts';

/** The options of proxy/parse-request.ts, one set for each route. */
const readings: readonly ParseOptions[] = apiRoutes.map(
  ({ upstream, requiresMessages, dialect, shape, inputsField }) => ({
    allowRemoteMedia: false,
    requiresMessages: requiresMessages,
    api: apiForPath(upstream),
    isResponses: dialect === 'responses',
    shortAnswerTokens: 32,
    shape,
    inputsField: inputsField,
  }),
);

const names = [
  ...[
    'messages',
    'role',
    'content',
    'model',
    'stream',
    'stream_options',
    'n',
    'n_cmpl',
    'prompt',
    'input',
    'text',
  ],
  ...[
    'max_tokens',
    'max_completion_tokens',
    'n_predict',
    'id_slot',
    'sse_ping_interval',
    'tools',
    'image_url',
    'url',
  ],
  ...[
    'functions',
    'function_call',
    'tool_choice',
    'function',
    'name',
    'arguments',
    'summary',
    'call_id',
    'output',
  ],
  ...['system', 'source', 'response_format', 'format', 'type', 'verbose', 'tool_calls', 'reasoning_content'],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'a'],
] as const;
const leaf = fc.oneof(
  fc.constantFrom(
    '',
    'user',
    'assistant',
    'text',
    'http://x/',
    'data:,x',
    'json_schema',
    'function',
    'reasoning',
    'function_call',
    'required',
    'allowed_tools',
    'message',
    '<think>',
    '\ud800',
    '🐎',
  ),
  fc.constantFrom(0, -0, 1, -1, 2, 1.5, 1e21, 2 ** 53, 1e308, null, true, false),
);
const { value } = fc.letrec<{ value: unknown; list: unknown; object: unknown }>((tie) => ({
  value: fc.oneof({ maxDepth: 4, depthIdentifier: 'json' }, leaf, tie('list'), tie('object')),
  list: fc.array(tie('value'), { maxLength: 3, depthIdentifier: 'json' }),
  object: fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 4, depthIdentifier: 'json' }),
}));
const message = fc.record({
  role: fc.constantFrom('user', 'assistant', 'system', 'tool', 'function'),
  content: value,
});
const request = fc
  .tuple(
    fc.record(
      { messages: fc.array(message, { maxLength: 3 }), input: value, prompt: value },
      { requiredKeys: [] },
    ),
    fc.dictionary(fc.constantFrom(...names), fc.oneof(leaf, value), { maxKeys: 5 }),
  )
  .map(([known, further]) => JSON.stringify({ ...further, ...known }));

/** The JSON of a client, parsed as each route parses it. */
export const bodyTarget: Target = {
  name: 'body',
  seeds: [
    '{"messages":[{"role":"user","content":"hello"}]}',
    '{"model":"m","messages":[{"role":"assistant","content":[{"type":"text","text":"x"}]}],"stream":true,"n":2}',
    '{"prompt":["a",[1,2]],"max_tokens":5,"id_slot":1}',
    '{"input":[{"image_url":{"url":"data:,"}}],"text":{"format":{"type":"json_schema","schema":{}}}}',
    ' {"messages":[],"messages":[{}],"__proto__":{"stream":true},"n":1e0} ',
  ],
  tokens: [
    ...names.map((name) => `"${name}":`),
    '{"',
    '"}',
    '[[',
    ']]',
    '1e400',
    '"\\ud83d"',
    '\xed\xa0\x80',
    ',"a":1',
  ],
  grammar: request,
  open: pure((input) => {
    for (const options of readings) tryToRead(input, options);
  }),
};

function tryToRead(body: Buffer, options: ParseOptions): void {
  try {
    checkBody(body, options);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status !== 400 || error.message.length > 200)
      throw new Error(`an unexpected error status: ${error.status}`);
  }
}

/** The body sent on equals the one received, except for intended changes. */
function checkBody(body: Buffer, options: ParseOptions): void {
  const request = parseRequestBody(body, options);
  if (!Number.isSafeInteger(request.sequences) || request.sequences < 1)
    throw new Error(`${request.sequences} sequences`);
  const { input, output = 0, completions } = request.estimate;
  if (![input, output, completions].every((count) => count >= 0))
    throw new Error('tokens are counted from 0 up');
  if (!Number.isFinite(input + output + completions)) throw new Error('tokens without end');
  if (typeof (request.model ?? '') !== 'string') throw new Error('a model that is no text');
  const sound = Buffer.from(replaceLoneSurrogates(body.toString()));
  const normalized = normalizeRequest(options.api, fieldsOf(sound), sound).body;
  const { stream, stream_options, ...given } = fieldsOf(normalized);
  const { stream: sentStream, stream_options: sentOptions, ...sent } = fieldsOf(request.body);
  if (!isDeepStrictEqual(sent, given)) throw new Error('fields changed on their way');
  if (request.stream !== (stream ?? false)) throw new Error('`stream` was misread');
  if (sentStream !== (request.aggregation ? true : stream))
    throw new Error('the backend receives a wrong `stream`');
  if (request.stream && !isDeepStrictEqual(sentOptions, stream_options))
    throw new Error('other stream options');
  const again = normalizeRequest(options.api, fieldsOf(normalized), normalized);
  if (again.body !== normalized) throw new Error('what was put right is not right');
  if (options.api === undefined && !isDeepStrictEqual(untouched(sound), fieldsOf(normalized)))
    throw new Error('fields of no API changed');
}

const untouched = (body: Buffer) => {
  const { id_slot: _, sse_ping_interval: __, ...rest } = fieldsOf(body);
  return rest;
};

const fieldsOf = (body: Buffer) => JSON.parse(body.toString()) as Record<string, unknown>;
