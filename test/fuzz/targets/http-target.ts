import * as fc from 'fast-check';
import { scopes } from '../../../keys/key.ts';
import { delta, isForStream, startStream } from '../../fakes/scenarios.ts';
import { type BackendScenario, type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway, testerSecret } from '../../harness/start-gateway.ts';
import type { Target } from '../target.ts';
import { type ParsedResponse, readResponses } from './read-responses.ts';

/** Milliseconds without data after which a connection is closed. */
const SILENCE = 40;
const secret = 'SECRET';
const sentinel = 'GET /livez?last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

const paths = [
  ...[
    '/v1/chat/completions',
    '/v1/completions',
    '/v1/embeddings',
    '/v1/responses',
    '/v1/messages',
    '/v1/models',
  ],
  ...[
    '/v1/models/fake-model',
    '/completion',
    '/tokenize',
    '/v1/audio/transcriptions',
    '/v1/messages/count_tokens',
  ],
  ...[
    '/ping',
    '/health',
    '/livez',
    '/readyz',
    '/metrics',
    '/docs',
    '/openapi.json',
    '/',
    '/dashboard',
    '/admin/keys',
  ],
  ...[
    '/admin/requests/a',
    '/admin/usage?since=1h',
    '/reload',
    '/props',
    '/slots',
    '/v1/models/%2e%2e%2f',
    '/%',
    '//',
  ],
  ...['/v1/files', '/v1/files/file-0/content', '/batches', '/v1/batches/batch_0/cancel'],
  ...['/v1/messages/batches', '/v1/messages/batches/msgbatch_0/results', '/files?after=x&limit=%00'],
  ...['/v1/conversations', '/conversations/conv_0/items?after=%00', '/v1/conversations/%2e%2e/items/%2f'],
  ...['/v1/responses/resp_0?stream=true&starting_after=%00', '/responses/resp_0/cancel'],
  ...[
    'http://evil.example/v1/models',
    '*',
    '/v1/models/%ff',
    '/v1/chat/completions?x=%00',
    '/docs/assets/../../app.ts',
  ],
];
const headers = [
  ...[
    'Host: x',
    'Host:',
    'Host: a:b',
    'Host: [::1]',
    `Authorization: Bearer ${secret}`,
    `x-api-key: ${secret}`,
    'Authorization: Bearer',
  ],
  ...[
    'Content-Type: application/json',
    'Content-Type: text/plain',
    'Content-Type: multipart/form-data; boundary=x',
    'Content-Type:',
  ],
  ...[
    'Content-Length: 0',
    'Content-Length: 2',
    'Content-Length: 60',
    'Content-Length: 999999999',
    'Transfer-Encoding: chunked',
  ],
  ...[
    'Transfer-Encoding: xchunked',
    'Content-Encoding: gzip',
    'Expect: 100-continue',
    'Connection: close',
    'Connection: keep-alive',
  ],
  ...[
    'Connection: Upgrade',
    'Upgrade: websocket',
    'x-request-id: a b',
    'x-request-id: ok-1',
    'X-Forwarded-For: 1.2.3.4, x',
    'Origin: http://x',
  ],
  ...[
    'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    'Cookie: a=b; c',
    'Accept: text/html',
    'Last-Event-ID: 1',
  ],
  ...[
    'Access-Control-Request-Method: POST',
    'Sec-Fetch-Site: cross-site',
    'If-None-Match: *',
    'Range: bytes=0-',
    'TE: trailers',
    'a: b',
  ],
];
const methods = [
  'GET',
  'POST',
  'HEAD',
  'OPTIONS',
  'DELETE',
  'PUT',
  'TRACE',
  'CONNECT',
  'PATCH',
  'QUERY',
  'M-SEARCH',
];
const bodies = [
  ...[
    chatOf('hi'),
    chatOf('hi', { stream: true }),
    { prompt: 'x', n: 2 },
    { input: 'x', stream: true },
    { messages: [], max_tokens: 1 },
    {},
  ].map((it) => JSON.stringify(it)),
  ...[
    '',
    '{',
    '5\r\n{"a":\r\n0\r\n\r\n',
    '0\r\n\r\n',
    '2;x=y\r\n{}\r\n0\r\nTrailer: x\r\n\r\n',
    '[]',
    '\0',
    '--x--',
    '--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n{}\r\n--x--',
    '{"requests":[{"custom_id":"a","params":{}}]}',
    '{"input_file_id":"file-0","endpoint":"/v1/completions","completion_window":"24h"}',
  ],
];

const request = fc
  .tuple(
    fc.constantFrom(...methods),
    fc.constantFrom(...paths),
    fc.subarray(headers, { maxLength: 6 }),
    fc.constantFrom(...bodies),
    fc.boolean(),
    fc.boolean(),
  )
  .map(([method, path, lines, body, isMeasured, isKnown]) =>
    [
      `${method} ${path} HTTP/1.1`,
      ...(isKnown ? ['Host: x', `Authorization: Bearer ${secret}`, 'Content-Type: application/json'] : []),
      ...(isMeasured ? [`Content-Length: ${Buffer.byteLength(body)}`] : []),
      ...lines,
      '',
      body,
    ].join('\r\n'),
  );
const good = (body: object, path?: string) =>
  postOf(body, { secret, ...(path === undefined ? {} : { path }) });

/** A gateway on a real port with a fake backend that accepts everything. `SECRET` stands for a valid key. */
export const httpTarget: Target = {
  name: 'http',
  seeds: [
    good(chatOf('hello')),
    good(chatOf('hello', { stream: true })),
    good({ input: 'x', stream: true }, '/v1/responses'),
    good({ max_tokens: 3, messages: [] }, '/v1/messages'),
    `GET /v1/models HTTP/1.1\r\nHost: x\r\nx-api-key: ${secret}\r\n\r\n`,
    `POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nx-api-key: ${secret}\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"input":\r\n4\r\n"x"}\r\n0\r\n\r\n`,
    'OPTIONS /v1/models HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nAccess-Control-Request-Method: GET\r\n\r\n',
  ],
  tokens: [
    ...paths,
    ...headers.map((header) => `${header}\r\n`),
    ...methods,
    ...bodies,
    '\r\n',
    '\r\n\r\n',
    ' HTTP/1.1\r\n',
    ' HTTP/1.0\r\n',
    sentinel,
  ],
  grammar: fc.array(request, { minLength: 1, maxLength: 2 }).map((all) => all.join('')),
  together: 16,
  async open() {
    const fakeBackend = await startFakeBackend(completeAnything, { slots: 16 });
    const keys = keyFileText({
      tester: { secret: testerSecret, scopes: [...scopes] },
    });
    const env = {
      MAX_FAILED_LOGINS_PER_MINUTE: '0',
      CORS_ORIGINS: 'http://x',
      ALLOW_UNAUTHENTICATED: 'true',
      STORE: 'on',
    };
    const corral = await startTestGateway({ backend: fakeBackend.backend, keys, env });
    return {
      try: (input) => send(corral, input),
      check: () => checkGateway(corral, fakeBackend),
      async [Symbol.asyncDispose]() {
        await corral.stop();
        await fakeBackend.stop();
      },
    };
  },
};

const completeAnything: BackendScenario = (request, response) => {
  if (isForStream(request)) startStream(response).end(`${delta('one')}data: [DONE]\n\n`);
  else
    response.setHeader('content-type', 'application/json').end('{"object":"chat.completion","choices":[]}');
};

async function send(corral: TestGateway, input: Buffer): Promise<void> {
  await using client = await RawClient.connect(corral.port);
  client
    .send(Buffer.from(input.toString('latin1').replaceAll(secret, testerSecret), 'latin1'))
    .send(sentinel);
  const text = await readAll(client);
  const { responses } = readResponses(text);
  responses.forEach(checkResponse);
}

/** Everything received until the connection closes, the sentinel has its response, or no more data comes. */
async function readAll(client: RawClient): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, SILENCE);
  client.socket.on('data', () => timer.refresh());
  for (const event of ['end', 'close', 'error']) client.socket.once(event, () => resolve());
  await promise;
  clearTimeout(timer);
  return client.latin1;
}

function checkResponse({ status, headers, body }: ParsedResponse): void {
  if (status === 100 || status === 101) return;
  if (status === 500) throw new Error(`internal error: ${body}`);
  if (!/^[\w.:+/=-]{1,128}$/.test(headers.get('x-request-id') ?? ''))
    throw new Error(`${status} without a request id`);
  if (status < 400 || body === '') return;
  const { error } = JSON.parse(body) as { error?: { message?: unknown; type?: unknown } };
  if (typeof error?.message !== 'string' || typeof error.type !== 'string')
    throw new Error(`${status} without a standard error object`);
  if (body.includes(testerSecret)) throw new Error('a response contains a secret');
}

async function checkGateway(corral: TestGateway, fakeBackend: FakeBackend): Promise<void> {
  await gatewayIsIdle(corral, fakeBackend);
  await using client = await RawClient.connect(corral.port);
  const response = await client.send(postOf(chatOf('hello', { stream: true }))).response();
  if (response?.status !== 200 || !response.body.endsWith('[DONE]\n\n'))
    throw new Error('a valid request is not served');
  const logged = JSON.stringify(corral.logged);
  if (logged.includes('internal_error')) throw new Error('the log contains an internal error');
  if (logged.includes(testerSecret)) throw new Error('the log contains a secret');
}
