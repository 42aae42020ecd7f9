import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { storyText } from '../../../../cli/demo-model/stories.ts';
import { startFakeBackend } from '../../../fakes/start-fake-backend.ts';
import { type Demo, startDemo } from '../../../harness/start-demo.ts';
import { startTestGateway } from '../../../harness/start-gateway.ts';
import { violations } from '../../../harness/violations.ts';
import { waitFor } from '../../../harness/wait-for.ts';

let demo: Demo;
beforeAll(async () => {
  demo = await startDemo();
});
afterAll(() => demo.stop());

const path = '/v1/chat/completions';
const bodyOf = (more: object = {}) =>
  JSON.stringify({ model: 'demo', messages: [{ role: 'user', content: 'keys' }], ...more });

/** The output of curl, split into headers and body. The body is checked with the strict schemas. */
async function curl(...args: string[]) {
  const { stdout } = await execa('curl', ['--silent', '--show-error', '--include', ...args], {
    stripFinalNewline: false,
  });
  const [head = '', ...rest] = stdout.split('\r\n\r\n');
  const text = rest.join('\r\n\r\n');
  const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1] ?? null;
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]);
  const contentType = header('content-type') ?? '';
  expect(
    violations({ path, status, contentType, requestId: header('x-request-id'), text, ended: true }),
  ).toEqual([]);
  return { status, header, text };
}

const url = () => `${demo.baseURL}/chat/completions`;
const json = ['-H', 'Content-Type: application/json'];

it.each([
  ['Authorization: Bearer SECRET'],
  ['authorization: bearer SECRET'],
  ['Authorization: SECRET'],
  ['X-Api-Key: SECRET'],
  ['api-key: SECRET'],
])('curl is authenticated by %s', async (form) => {
  const key = form.replace('SECRET', demo.apiKey);
  const { status, text } = await curl(url(), '-H', key, ...json, '-d', bodyOf());
  expect(status).toBe(200);
  expect(JSON.parse(text).choices[0].message.content).toBe(storyText('keys'));
});

it('curl gets a stream that ends', async () => {
  const { status, header, text } = await curl(
    ...['-N', url(), '-H', `Authorization: Bearer ${demo.apiKey}`, ...json, '-d', bodyOf({ stream: true })],
  );
  expect(status).toBe(200);
  expect(header('content-type')).toBe('text/event-stream');
  expect(header('cache-control')).toBe('no-cache, no-transform');
  expect(header('x-accel-buffering')).toBe('no');
  const deltas = [...text.matchAll(/^data: (\{.*)$/gm)].map(
    ([, data = '']) => JSON.parse(data).choices[0].delta.content ?? '',
  );
  expect(deltas.join('')).toBe(storyText('keys'));
});

it('curl gets each event at once', async () => {
  const { promise: request, resolve: result } =
    Promise.withResolvers<(text: string, isLast: boolean) => void>();
  await using fakeBackend = await startFakeBackend((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    result((text, isLast) => (isLast ? response.end(text) : response.write(text)));
  });
  await using corral = await startTestGateway({ backend: fakeBackend.backend });
  const headers = ['-H', `Authorization: Bearer ${corral.secret}`, ...json];
  const child = execa('curl', ['-sN', `${corral.origin}${path}`, ...headers, '-d', bodyOf({ stream: true })]);
  let seen = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    seen += text;
  });
  const send = await request;
  send('data: {"n":1}\n\n', false);
  await waitFor('the first event to be seen', () => seen === 'data: {"n":1}\n\n');
  send('data: [DONE]\n\n', true);
  await child;
  expect(seen).toBe('data: {"n":1}\n\ndata: [DONE]\n\n');
});

it('curl gets a readable error message', async () => {
  const { status, header, text } = await curl(url(), ...json, '-d', bodyOf());
  expect(status).toBe(401);
  expect(header('www-authenticate')).toBe('Bearer');
  expect(JSON.parse(text).error).toMatchObject({ code: 'invalid_api_key' });
});

it('curl without a content type gets an error that names the content type', async () => {
  const form = await curl(url(), '-H', `x-api-key: ${demo.apiKey}`, '-d', bodyOf());
  expect(form.status).toBe(415);
  expect(JSON.parse(form.text).error.message).toContain('send application/json');
});
