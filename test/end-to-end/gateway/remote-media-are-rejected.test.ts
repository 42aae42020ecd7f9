import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';

/** Every place where a request can name media, with a gap for the address. */
const shapes: Record<string, [path: string, (address: string) => object]> = {
  'chat image_url': [
    '/v1/chat/completions',
    (url) => userMessage([{ type: 'image_url', image_url: { url } }]),
  ],
  'chat image_url as text': [
    '/v1/chat/completions',
    (url) => userMessage([{ type: 'image_url', image_url: url }]),
  ],
  'chat input_audio': [
    '/v1/chat/completions',
    (data) => userMessage([{ type: 'input_audio', input_audio: { data } }]),
  ],
  'chat video_url': [
    '/v1/chat/completions',
    (url) => userMessage([{ type: 'video_url', video_url: { url } }]),
  ],
  'chat input_video': [
    '/v1/chat/completions',
    (url) => userMessage([{ type: 'input_video', input_video: { url } }]),
  ],
  'responses input_image': [
    '/v1/responses',
    (image_url) => ({ input: [{ role: 'user', content: [{ type: 'input_image', image_url }] }] }),
  ],
  'responses image in the output of a function': [
    '/v1/responses',
    (image_url) => ({
      input: [
        functionCall,
        { type: 'function_call_output', call_id: 'a', output: [{ type: 'input_image', image_url }] },
      ],
    }),
  ],
  'anthropic image source': [
    '/v1/messages',
    (url) => userMessage([{ type: 'image', source: { type: 'url', url } }]),
  ],
  'anthropic image in a tool result': [
    '/v1/messages',
    (url) => ({ messages: result([{ type: 'image', source: { type: 'url', url } }]) }),
  ],
  'anthropic count_tokens': [
    '/v1/messages/count_tokens',
    (url) => userMessage([{ type: 'image', source: { type: 'url', url } }]),
  ],
  'chat template': ['/apply-template', (url) => userMessage([{ type: 'image_url', image_url: { url } }])],
  'chat input_tokens': [
    '/v1/chat/completions/input_tokens',
    (url) => userMessage([{ type: 'image_url', image_url: { url } }]),
  ],
};
const functionCall = { type: 'function_call', call_id: 'a', name: 'see', arguments: '{}' };
const addresses = [
  'http://169.254.169.254/latest/meta-data/',
  'https://example.org/a.png',
  'file:///etc/passwd',
  'HTTP://example.org',
  ' http://example.org',
  'ftp://example.org/a.png',
  'FILE://localhost/etc/passwd',
  'gopher://127.0.0.1:6379/_INFO',
  '\t\nhttps://example.org',
  'http:127.0.0.1/a',
  // It looks like base64, but is a host for a llama-server that fetches with libcurl.
  'http.internal/latest',
  'javascript:alert(1)',
  'x-later+scheme.1:anything',
];

const userMessage = (content: unknown) => ({ messages: [{ role: 'user', content }] });

let fakeBackend: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fakeBackend = await startFakeBackend((_, response) => response.end('{}'));
  corral = await startTestGateway({ backend: fakeBackend.backend, env: { AUTH_ENABLED: 'false' } });
});
afterAll(async () => {
  await corral.stop();
  await fakeBackend.stop();
});

async function post(path: string, body: object) {
  await using client = await RawClient.connect(corral.port);
  const response = await client.send(postOf(body, { path })).response();
  return { status: response?.status, body: JSON.parse(response?.body ?? '') };
}

describe.each(Object.entries(shapes))('%s', (_, [path, shape]) => {
  it.each(addresses)('rejects %s', async (address) => {
    const sent = fakeBackend.received.length;
    const { status, body } = await post(path, shape(address));
    expect(status).toBe(400);
    if (path.startsWith('/v1/messages')) expect(body.error.type).toBe('invalid_request_error');
    else expect(body.error.code).toBe('remote_media_not_allowed');
    expect(body.error.message).toMatch(/^'(messages|input)\[\d\]\.(?:content|output)\[0\]/);
    expect(fakeBackend.received).toHaveLength(sent);
  });

  it.each(['data:image/png;base64,AAAA', 'DATA:image/png;base64,AAAA', 'AAAA', '//uQxAAA/+8='])(
    'accepts %s',
    async (address) => {
      expect((await post(path, shape(address))).status).toBe(200);
      expect(JSON.parse(fakeBackend.received.at(-1)?.body ?? '')).toMatchObject(shape(address));
    },
  );
});

it('ALLOW_REMOTE_MEDIA accepts all addresses', async () => {
  await using open = await startTestGateway({
    backend: fakeBackend.backend,
    env: { ALLOW_REMOTE_MEDIA: 'true' },
  });
  await using client = await RawClient.connect(open.port);
  const body = userMessage([{ type: 'image_url', image_url: { url: 'https://example.org/a.png' } }]);
  expect((await client.send(postOf(body)).response())?.status).toBe(200);
});

const url = 'https://example.org/a.png';
const toolUse = { type: 'tool_use', id: 'a', name: 'see', input: {} };
const result = (content: object[]) => [
  { role: 'assistant', content: [toolUse] },
  { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content }] },
];
const textOnly: Record<string, [path: string, body: object]> = {
  'a text that contains a URL': [
    '/v1/chat/completions',
    userMessage([{ type: 'text', text: 'http://example.org and "image_url": "http://x"' }]),
  ],
  'the arguments of a call': [
    '/v1/chat/completions',
    {
      messages: [
        {
          role: 'assistant',
          tool_calls: [
            {
              id: 'a',
              type: 'function',
              function: { name: 'see', arguments: { image_url: url, source: url } },
            },
          ],
        },
      ],
    },
  ],
  'the label of a message': [
    '/v1/chat/completions',
    { messages: [{ role: 'user', content: 'hi', source: 'web:chat', url, file: 'c:/x' }] },
  ],
  metadata: [
    '/v1/chat/completions',
    { ...userMessage('hi'), metadata: { source: url, image_url: url, file: url } },
  ],
  'the input of a tool': [
    '/v1/messages',
    {
      messages: [
        { role: 'assistant', content: [{ ...toolUse, input: { source: { type: 'url', url }, file: url } }] },
      ],
    },
  ],
  'a document': [
    '/v1/messages',
    userMessage([
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'version: 3' } },
    ]),
  ],
  'a search result': [
    '/v1/messages',
    userMessage([{ type: 'search_result', source: url, title: 'A', content: [{ type: 'text', text: url }] }]),
  ],
  'a search result of a tool': [
    '/v1/messages',
    {
      messages: result([
        { type: 'search_result', source: url, title: 'A', content: [{ type: 'text', text: url }] },
      ]),
    },
  ],
  'the arguments of a Responses call': [
    '/v1/responses',
    { input: [{ ...functionCall, arguments: JSON.stringify({ image_url: url }) }] },
  ],
  'the annotations of a response': [
    '/v1/responses',
    {
      input: [
        {
          type: 'message',
          role: 'assistant',
          content: [
            { type: 'output_text', text: 'x', annotations: [{ type: 'url_citation', url, source: url }] },
          ],
        },
      ],
    },
  ],
};

it.each(Object.entries(textOnly))('%s is accepted as text', async (_, [path, body]) => {
  expect((await post(path, body)).status).toBe(200);
});

it.each([
  ['/v1/chat/completions', (file_data: string) => userMessage([{ type: 'file', file: { file_data } }])],
  [
    '/v1/responses',
    (file_url: string) => ({ input: [{ role: 'user', content: [{ type: 'input_file', file_url }] }] }),
  ],
])('a file on %s is rejected, by URL or not', async (path, shape) => {
  expect((await post(path, shape(url))).body.error.code).toBe('remote_media_not_allowed');
  const { status, body } = await post(path, shape('data:application/pdf;base64,AAAA'));
  expect(status).toBe(400);
  expect(body.error).toMatchObject({
    code: 'invalid_value',
    message: expect.stringMatching(/file.* Send its text/),
  });
});
