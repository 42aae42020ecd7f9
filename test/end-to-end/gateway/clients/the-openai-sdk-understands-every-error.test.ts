import {
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
} from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprint } from '../../../../keys/secret.ts';
import { type BackendScenario, startFakeBackend } from '../../../fakes/start-fake-backend.ts';
import { type Demo, startDemo } from '../../../harness/start-demo.ts';
import { startTestGateway, testerSecret } from '../../../harness/start-gateway.ts';
import { connectOpenAI } from './connect-openai.ts';

const request = { model: 'demo', messages: [{ role: 'user' as const, content: 'keys' }], max_tokens: 5 };

/** The error of a request. */
async function getError(response: PromiseLike<unknown>): Promise<APIError> {
  const error = await response.then(
    () => undefined,
    (it) => it,
  );
  expect(error).toBeInstanceOf(APIError);
  expect(error.requestID ?? error.headers?.get('x-request-id')).toBeTruthy();
  return error;
}

describe('in front of a real llama-server', () => {
  let demo: Demo;
  beforeAll(async () => {
    demo = await startDemo({
      llama: { context: 2048 },
      env: {
        STRICT_MODEL: 'true',
        MODEL_ALIAS: 'demo,other',
        MAX_REQUEST_BODY_SIZE: '200KiB',
        // Early headers are off, whatever time the engine needs for a prompt: after them there is no status.
        STREAM_HEADERS_AFTER: '1h',
      },
    });
  });
  afterAll(() => demo.stop());

  it('AuthenticationError: an unknown key', async () => {
    const { openai } = connectOpenAI({ ...demo, apiKey: 'sk-nobody' });
    const error = await getError(openai.chat.completions.create(request));
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(error).toMatchObject({ status: 401, code: 'invalid_api_key', type: 'invalid_request_error' });
    expect(error.message).not.toContain('sk-nobody');
  });

  it('AuthenticationError: an unknown key for a stream', async () => {
    const { openai } = connectOpenAI({ ...demo, apiKey: 'sk-nobody' });
    const error = await getError(openai.chat.completions.create({ ...request, stream: true }));
    expect(error).toBeInstanceOf(AuthenticationError);
  });

  it('PermissionDeniedError: a path beyond the scopes of the key', async () => {
    const { openai } = connectOpenAI({ ...demo, baseURL: demo.corral.origin });
    const error = await getError(openai.post('/tokenize', { body: { content: 'hello' } }));
    expect(error).toBeInstanceOf(PermissionDeniedError);
    expect(error).toMatchObject({ status: 403, code: 'insufficient_scope', type: 'permission_error' });
  });

  it('NotFoundError: a model that is not served', async () => {
    const { openai } = connectOpenAI(demo);
    const error = await getError(openai.chat.completions.create({ ...request, model: 'gpt-4o' }));
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' });
  });

  it('NotFoundError: an API that is not served', async () => {
    const { openai } = connectOpenAI(demo);
    const error = await getError(openai.images.generate({ model: 'demo', prompt: 'a horse' }));
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error).toMatchObject({ code: 'unknown_url' });
    expect(error.message).toContain('POST /v1/images/generations');
  });

  it('BadRequestError: a value that the gateway rejects', async () => {
    const { openai } = connectOpenAI(demo);
    const error = await getError(openai.chat.completions.create({ ...request, n: 0 }));
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error).toMatchObject({ code: 'invalid_value', param: 'n', type: 'invalid_request_error' });
  });

  it('BadRequestError: a value that the engine rejects', async () => {
    const { openai } = connectOpenAI(demo);
    const error = await getError(openai.chat.completions.create({ ...request, top_logprobs: 2 }));
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error).toMatchObject({ code: 'invalid_value', type: 'invalid_request_error' });
    expect(error.message).toContain('top_logprobs requires logprobs');
  });

  it.each([false, true])(
    'BadRequestError: a prompt that is too long, with the numbers (stream: %s)',
    async (stream) => {
      const { openai } = connectOpenAI(demo);
      const messages = [{ role: 'user' as const, content: 'horse '.repeat(2500) }];
      const error = await getError(openai.chat.completions.create({ ...request, messages, stream }));
      expect(error).toBeInstanceOf(BadRequestError);
      expect(error).toMatchObject({ code: 'context_length_exceeded', type: 'invalid_request_error' });
      const [tokens, context] = error.message.match(/\d{4,}/g)?.map(Number) ?? [];
      expect(tokens).toBeGreaterThan(2500);
      expect(context).toBe(2048);
    },
  );

  it('APIError with status 413: a body that is too large, without a retry', async () => {
    const { openai, wire } = connectOpenAI(demo, { maxRetries: 2 });
    const messages = [{ role: 'user' as const, content: 'x'.repeat(300_000) }];
    const error = await getError(openai.chat.completions.create({ ...request, messages }));
    expect(error).toMatchObject({ status: 413, code: 'payload_too_large' });
    expect(wire.responses).toHaveLength(1);
  });
});

describe('in front of a misbehaving backend', () => {
  const startWithBackend = async (scenario: BackendScenario, env: Record<string, string> = {}) => {
    const stack = new AsyncDisposableStack();
    const fakeBackend = stack.use(await startFakeBackend(scenario));
    const corral = stack.use(await startTestGateway({ backend: fakeBackend.backend, env }));
    return { stack, ...connectOpenAI({ baseURL: `${corral.origin}/v1`, apiKey: corral.secret }) };
  };

  it('PermissionDeniedError: a model that the key may not use', async () => {
    await using fakeBackend = await startFakeBackend((_, response) => response.end('{}'));
    await using corral = await startTestGateway({
      backend: fakeBackend.backend,
      env: { MODEL_ALIAS: 'demo,other' },
      keys: onlyFor('other'),
    });
    const { openai } = connectOpenAI({ baseURL: `${corral.origin}/v1`, apiKey: corral.secret });
    const error = await getError(openai.chat.completions.create(request));
    expect(error).toBeInstanceOf(PermissionDeniedError);
    expect(error).toMatchObject({ code: 'model_not_allowed', param: 'model' });
    expect(fakeBackend.received).toEqual([]);
  });

  it('InternalServerError: a full queue', async () => {
    const { promise: held, resolve: hold } = Promise.withResolvers<void>();
    const { stack, openai } = await startWithBackend(() => hold(), {
      MAX_CONCURRENT_REQUESTS: '1',
      MAX_QUEUE_SIZE: '0',
    });
    await using _ = stack;
    const aborting = new AbortController();
    const first = openai.chat.completions.create(request, { signal: aborting.signal }).catch((it) => it);
    await held;
    const error = await getError(openai.chat.completions.create(request));
    expect(error).toBeInstanceOf(InternalServerError);
    expect(error).toMatchObject({ status: 503, code: 'queue_full', type: 'server_error' });
    expect(Number(error.headers?.get('retry-after'))).toBeGreaterThanOrEqual(1);
    aborting.abort();
    expect(await first).toBeInstanceOf(APIUserAbortError);
  });

  it('InternalServerError: a backend that fails', async () => {
    const { stack, openai } = await startWithBackend((_, response) => response.destroy());
    await using _ = stack;
    const error = await getError(openai.chat.completions.create(request));
    expect(error).toBeInstanceOf(InternalServerError);
    expect(error).toMatchObject({ status: 502, code: 'bad_gateway', type: 'server_error' });
  });

  it('APIError in the middle of a stream that fails', async () => {
    const { stack, openai } = await startWithBackend((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${JSON.stringify(firstChunk)}\n\n`, () => response.destroy());
    });
    await using _ = stack;
    const stream = await openai.chat.completions.create({ ...request, stream: true });
    let text = '';
    const reading = (async () => {
      for await (const { choices } of stream) text += choices[0]?.delta.content;
    })();
    const error = await getError(reading);
    expect(text).toBe('Hello');
    expect(error).toMatchObject({ status: undefined, code: 'bad_gateway', type: 'server_error' });
  });

  it.each([
    [
      'a tool call that cannot be parsed',
      'The model produced output that does not match the expected peg-native format',
      1,
    ],
    ['the engine failed', 'Compute error.', 3],
  ])('InternalServerError: %s', async (_what, message, attempts) => {
    const error = JSON.stringify({ error: { code: 500, type: 'server_error', message } });
    const { stack, openai, wire } = await startWithBackend((_, response) =>
      response.writeHead(500, { 'content-type': 'application/json' }).end(error),
    );
    await using _ = stack;
    const failure = await getError(openai.chat.completions.create(request, { maxRetries: 2 }));
    expect(failure).toMatchObject({ status: 500, code: 'internal_error' });
    expect(failure.message).toContain(message);
    expect(wire.responses).toHaveLength(attempts);
  });

  it('BadRequestError: an input larger than the batch size, with the fix', async () => {
    const message =
      'input (721 tokens) is too large to process. increase the physical batch size (current batch size: 512)';
    const { stack, openai, wire } = await startWithBackend((_, response) =>
      response.writeHead(500).end(JSON.stringify({ error: { code: 500, type: 'server_error', message } })),
    );
    await using _ = stack;
    const pending = openai.embeddings.create({ model: 'demo', input: 'much' }, { maxRetries: 2 });
    const error = await getError(pending);
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error).toMatchObject({ code: 'context_length_exceeded', type: 'invalid_request_error' });
    expect(error.message).toMatch(/721 tokens.*512 tokens in one input.*shorter pieces/);
    expect(wire.responses).toHaveLength(1);
  });

  it('InternalServerError: an internal error without its details', async () => {
    const { stack, openai } = await startWithBackend((_, response) =>
      response.writeHead(500, { 'content-type': 'text/plain' }).end('at /srv/llama.cpp: secret'),
    );
    await using _ = stack;
    const error = await getError(openai.chat.completions.create(request));
    expect(error).toBeInstanceOf(InternalServerError);
    expect(error).toMatchObject({ status: 500, code: 'internal_error', type: 'server_error' });
    expect(error.message).not.toContain('secret');
  });
});

const firstChunk = {
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'demo',
  choices: [{ index: 0, delta: { role: 'assistant', content: 'Hello' }, finish_reason: null }],
};

/** A key file whose one key may use one model only. */
function onlyFor(model: string): string {
  const key = { id: 'tester', fingerprint: fingerprint(testerSecret), hint: 'sk-…', models: [model] };
  return JSON.stringify({ version: 1, keys: [key] });
}
