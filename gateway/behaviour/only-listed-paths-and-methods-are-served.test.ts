import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { gatewayAtRest } from '../../scripts/harness/gateway-at-rest.ts';
import { echo } from '../../scripts/harness/moods.ts';
import { RawClient } from '../../scripts/harness/raw-client.ts';
import { chatOf } from '../../scripts/harness/raw-request.ts';
import { startTestGateway, type TestGateway, testerSecret } from '../../scripts/harness/start-gateway.ts';
import { type StandInBackend, startStandInBackend } from '../../scripts/harness/start-stand-in-backend.ts';

const body = JSON.stringify(chatOf('hello'));

let standIn: StandInBackend;
let corral: TestGateway;
let before = 0;
beforeAll(async () => {
  standIn = await startStandInBackend(echo);
  corral = await startTestGateway({ backend: standIn.backend });
});
afterAll(async () => {
  await corral.stop();
  await standIn.stop();
});
beforeEach(() => {
  before = standIn.received.length;
});
afterEach(() => gatewayAtRest(corral, standIn));

/** The upstream paths of what has reached the backend in this test. */
const arrived = () => standIn.received.slice(before).map(({ path }) => path);

async function ask(method: string, target: string) {
  await using client = await RawClient.connect(corral.port);
  client.send(
    `${method} ${target} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer ${testerSecret}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
  // An answer to HEAD announces a body that never comes.
  if (method === 'HEAD') await client.closed();
  const answer = method === 'HEAD' ? headOf(client.text) : await client.answer();
  return { status: answer?.status, headers: answer?.headers ?? {}, body: answer?.body ?? '' };
}

function headOf(text: string) {
  const [head = '', content = ''] = text.split('\r\n\r\n');
  const lines = head.split('\r\n').slice(1);
  const headers = Object.fromEntries(
    lines.map((line) => line.replace(/^[^:]+/, (name) => name.toLowerCase()).split(': ')),
  );
  return { status: Number(head.split(' ')[1]), headers, body: content };
}

const unknown = {
  "the backend's own": [
    '/props',
    '/slots',
    '/slots/0?action=erase',
    '/lora-adapters',
    '/v1/stream',
    '/v1/streams/lookup',
    '/cors-proxy',
    '/tools',
    '/v1/health',
    '/',
  ],
  'not there': [
    '/v1',
    '/v1/',
    '/v2/chat/completions',
    '/v1/chat',
    '/v1/chat/completions/x',
    '/messages',
    '/v1/completion',
    '/v1/tokenize',
    '/V1/CHAT/COMPLETIONS',
  ],
  tricks: [
    '/v1/chat/completions/../../../props',
    '/v1/../props',
    '/v1/%2e%2e/props',
    '/v1/chat/completions%2f..%2f..%2fprops',
    '/v1/..%2fslots',
    '//props',
    '//v1/chat/completions',
    '/v1//chat/completions',
    '/v1/chat%2fcompletions',
    '/v1/chat/completions%00',
    '/v1/chat/completions/',
    '/v1/chat/completions;a=b',
    '/./slots',
    '/v1/models/../../props',
    '/%70rops',
    'http://127.0.0.1/props',
    '/v1/chat/completions%',
    '/v1/chat/completions%zz',
  ],
};

describe.each(Object.entries(unknown))('%s', (_, targets) => {
  it.each(targets)('%s', async (target) => {
    for (const method of ['GET', 'POST']) {
      const answer = await ask(method, target);
      expect([400, 404]).toContain(answer.status);
      const { error } = JSON.parse(answer.body);
      expect(Object.keys(error).toSorted()).toEqual(['code', 'message', 'param', 'type']);
      expect(error.type).toBe('invalid_request_error');
      if (answer.status === 404) expect(error.code).toBe('unknown_url');
    }
    expect(arrived()).toEqual([]);
  });
});

describe('the same path in other words', () => {
  it.each([
    '/v1/chat/completions?api-version=1&x=..%2f',
    'http://elsewhere.example/v1/chat/completions',
    '/v1/x/../chat/completions',
    '/v1/ch%61t/completions',
    '/v1/chat/completions#x',
    '/chat/completions',
  ])('%s reaches our upstream path and no other', async (target) => {
    const { status } = await ask('POST', target);
    expect([200, 400, 404]).toContain(status);
    expect(arrived()).toEqual(status === 200 ? ['/v1/chat/completions'] : []);
  });

  it('* and an authority are no paths', async () => {
    for (const [method, target] of [
      ['OPTIONS', '*'],
      ['POST', '*'],
      ['POST', 'evil.example:443'],
    ] as const) {
      expect([400, 404, 405]).toContain((await ask(method, target)).status);
    }
    expect(arrived()).toEqual([]);
  });
});

describe('other methods', () => {
  const others = ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'];
  it.each(others)('%s on a route that takes POST', async (method) => {
    const answer = await ask(method, '/v1/chat/completions');
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe('POST');
    expect(answer.headers['x-request-id']).toMatch(/\S/);
    if (method === 'HEAD') expect(answer.body).toBe('');
    else expect(JSON.parse(answer.body).error.code).toBe('method_not_allowed');
    expect(arrived()).toEqual([]);
  });

  it.each(['POST', 'PUT', 'DELETE', 'TRACE'])('%s on those that take GET', async (method) => {
    for (const path of ['/v1/models', '/models/x', '/ping', '/health', '/livez', '/readyz']) {
      const answer = await ask(method, path);
      expect([path, answer.status]).toEqual([path, 405]);
      expect(answer.headers.allow).toMatch(/^GET/);
    }
  });

  it("GET on /v1/messages, in Anthropic's words", async () => {
    const answer = await ask('GET', '/v1/messages');
    expect(answer.status).toBe(405);
    expect(JSON.parse(answer.body)).toEqual({
      type: 'error',
      error: { type: 'invalid_request_error', message: expect.stringContaining('GET') },
      request_id: answer.headers['x-request-id'],
    });
  });

  it('HEAD is GET without the body', async () => {
    for (const path of ['/v1/models', '/ping', '/health', '/livez', '/readyz']) {
      const [head, get] = [await ask('HEAD', path), await ask('GET', path)];
      expect([path, head.status]).toEqual([path, get.status]);
      expect(head.body).toBe('');
    }
  });
});
