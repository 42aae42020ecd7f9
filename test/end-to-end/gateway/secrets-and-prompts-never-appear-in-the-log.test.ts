import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway, testerSecret } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const secrets = {
  'a good key': testerSecret,
  'an unknown key': 'sk-unknown-6f1b7c2e9d',
  'a key of API_KEYS': 'sk-inline-6f1b7c2e9d',
  'a disabled key': 'sk-disabled-6f1b7c2e9d',
};
const prompt = 'my-bank-pin-is-4711';
const inTheQuery = 'sk-in-the-query-6f1b7c2e9d';

/** What the fake backend does, by a word in the prompt. Its errors quote the prompt, as llama-server's do. */
const backendResponses: Readonly<
  Record<string, { status: number; body: string; type?: string } | undefined>
> = {
  break: undefined,
  fail: {
    status: 500,
    body: `{"error":{"message":"Invalid diff: '${prompt}' not found at start of 'x'","code":500}}`,
  },
  quote: {
    status: 500,
    body: `{"error":{"message":"Failed to parse messages: Missing 'role' in message: {\\"content\\":\\"${prompt}\\"}","code":500}}`,
  },
  garble: {
    status: 200,
    body: `data: {"choices": ${prompt}

`,
    type: 'text/event-stream',
  },
  corrupt: {
    status: 200,
    body: `data: {"choices":[{"delta":{"content":"x"}}]}\n\ndata: {"error":{"code":500,"message":"Failed to parse input at pos 3: ${prompt}","type":"server_error"}}\n\n`,
    type: 'text/event-stream',
  },
  reject: { status: 401, body: '{"error":{"message":"Invalid API Key","code":401}}' },
  complete: { status: 200, body: '{}' },
};

const posted = (word: string, path?: string) => (secret: string) =>
  postOf(chatOf(`${word} ${prompt}`), { secret, ...(path && { path }) });

const got = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

/** The requests sent with each key, by name. */
const requests: Readonly<Record<string, (secret: string) => string>> = {
  'a path that is the key': (secret) => got(`/${secret}`),
  'a path with the key in it': (secret) => got(`/proxy${secret}/v1/models`),
  'a model that is named as the key': (secret) => got(`/v1/models/${secret}`),
  'a chat that succeeds': posted('complete'),
  'a chat whose engine breaks off': posted('break'),
  'a chat that fails': posted('fail'),
  'a chat that the engine quotes': posted('quote'),
  'a chat whose response is no JSON': posted('garble'),
  'a chat whose backend key is rejected': posted('reject'),
  'a stream that fails': (secret) => postOf(chatOf(`fail ${prompt}`, { stream: true }), { secret }),
  'a response that is corrupted on its way': posted('corrupt'),
  'a stream that is corrupted on its way': (secret) =>
    postOf(chatOf(`corrupt ${prompt}`, { stream: true }), { secret }),
  'a stream of the Messages API that is corrupted': (secret) =>
    postOf(chatOf(`corrupt ${prompt}`, { stream: true, max_tokens: 9 }), { secret, path: '/v1/messages' }),
  'a stream of the Responses API that is corrupted': (secret) =>
    postOf({ input: `corrupt ${prompt}`, stream: true }, { secret, path: '/v1/responses' }),
  'a message that the engine quotes': posted('quote', '/v1/messages'),
  'a response that the engine quotes': posted('quote', '/v1/responses'),
  'a completion that the engine quotes': (secret) =>
    postOf({ prompt: `quote ${prompt}` }, { secret, path: '/v1/completions' }),
  'a count that the engine quotes': posted('quote', '/v1/messages/count_tokens'),
  'a key in x-api-key': (secret) =>
    postOf(chatOf(`complete ${prompt}`), { secret: null, headers: [`x-api-key: ${secret}`] }),
  'a body that is no JSON': (secret) => postOf(`{"${prompt}": ${prompt}`, { secret }),
  'a key in the query': (secret) =>
    postOf(chatOf('complete'), { secret, path: `/v1/chat/completions?key=${inTheQuery}` }),
  'a key in the query of an unknown path': (secret) =>
    postOf(chatOf('complete'), { secret, path: `/nowhere?key=${inTheQuery}` }),
};

/** These are no valid requests and have no log line. */
const noRequests: typeof requests = {
  'an unfit Host': (secret) => `GET /v1/models HTTP/1.1\r\nHost: a b\r\nAuthorization: ${secret}\r\n\r\n`,
  'rubbish for a request': (secret) => `rubbish ${secret}\r\n\r\n`,
};

describe('no secret and no prompt is logged', () => {
  let fakeBackend: FakeBackend;
  let corral: TestGateway;

  beforeAll(async () => {
    fakeBackend = await startFakeBackend((request, response) => {
      const word =
        Object.keys(backendResponses).find((backendResponse) => request.body.includes(backendResponse)) ??
        'complete';
      const chosen = backendResponses[word];
      if (chosen === undefined) response.destroy();
      else
        response
          .writeHead(chosen.status, { 'content-type': chosen.type ?? 'application/json' })
          .end(chosen.body);
    });
    corral = await startTestGateway({
      backend: fakeBackend.backend,
      keys: keyFileText({
        known: { secret: secrets['a good key'], limits: { requestsPerMinute: 0 } },
        disabled: { secret: secrets['a disabled key'], disabled: true },
      }),
      env: { API_KEYS: `inline:${secrets['a key of API_KEYS']}:1000:2099-01-01T00:00:00Z` },
    });
  });
  afterAll(async () => {
    await corral[Symbol.asyncDispose]();
    await fakeBackend[Symbol.asyncDispose]();
  });

  const hidden = () => [
    ...Object.values(secrets),
    prompt,
    inTheQuery,
    fakeBackend.backend.apiKey ?? 'fake-key',
  ];
  const cases = Object.keys(secrets).flatMap((key) =>
    Object.keys({ ...requests, ...noRequests }).map((what) => [what, key] as const),
  );

  it.each(cases)('for %s with %s', async (what, key) => {
    const before = corral.logged.length;
    const bytes = { ...requests, ...noRequests }[what]?.(secrets[key as keyof typeof secrets]) ?? '';
    await using client = await RawClient.connect(corral.port);
    const response = await client.send(bytes).response();
    if (what in requests) await waitFor('its line', () => corral.logged.length > before);
    const shown = JSON.stringify([response, corral.logged.slice(before)]);
    expect(hidden().filter((secret) => shown.includes(secret))).toEqual([]);
  });

  it('for any of them at any time, although the failures are logged', () => {
    const shown = JSON.stringify(corral.logged);
    expect(hidden().filter((secret) => shown.includes(secret))).toEqual([]);
    for (const error of ['bad_gateway', 'invalid_json', 'invalid_api_key', 'unknown_url', 'internal_error'])
      expect(corral.logged.map((line) => line.error)).toContain(error);
  });
});
