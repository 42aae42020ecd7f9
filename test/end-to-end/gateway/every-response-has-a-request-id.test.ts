import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { delta, echo, isForStream, startStream } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

let fakeBackend: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fakeBackend = await startFakeBackend((request, response) => {
    if (!isForStream(request)) return echo(request, response);
    startStream(response).end(`${delta('one')}data: [DONE]\n\n`);
  });
  corral = await startTestGateway({ backend: fakeBackend.backend });
});
afterAll(async () => {
  await corral.stop();
  await fakeBackend.stop();
});

async function idOf(bytes: string): Promise<string | undefined> {
  await using client = await RawClient.connect(corral.port);
  return (await client.send(bytes).response())?.headers['x-request-id'];
}

const withId = (id: string) => postOf(chatOf('hello'), { headers: [`X-Request-Id: ${id}`] });

describe('a well-formed id is kept', () => {
  it.each(['abc', 'A-1_b.c:d/e=f+g', 'x'.repeat(128), '0af7651916cd43dd8448eb211c80319c'])(
    '%s',
    async (id) => {
      expect(await idOf(withId(id))).toBe(id);
      expect(fakeBackend.received.at(-1)?.headers['x-request-id']).toBe(id);
      await waitFor('its line in the log', () => corral.logged.some((line) => line.id === id));
    },
  );
});

describe('any other id is replaced', () => {
  it.each([
    '',
    'two words',
    'x'.repeat(129),
    'a\tb',
    'é',
    '{}',
    '<script>',
    'a,b',
    '"quoted"',
    'a\r\nX-Request-Id: b',
  ])('%j', async (id) => {
    expect(await idOf(withId(id))).toMatch(uuid);
    expect(fakeBackend.received.at(-1)?.headers['x-request-id']).toMatch(uuid);
  });
});

describe('the id is on', () => {
  const line = 'X-Request-Id: mine';
  it.each(
    Object.entries({
      'a stream': postOf(chatOf('hello', { stream: true }), { headers: [line] }),
      'a rejected key': postOf(chatOf('hello'), { secret: 'sk-no', headers: [line] }),
      'a rejected body': postOf('{', { headers: [line] }),
      'an unknown path': postOf('{', { path: '/nowhere', headers: [line] }),
      'a wrong method': `PUT /v1/models HTTP/1.1\r\nHost: x\r\n${line}\r\n\r\n`,
      'the list of models': `GET /v1/models HTTP/1.1\r\nHost: x\r\nx-api-key: ${'sk-no'}\r\n${line}\r\n\r\n`,
      'a probe': `GET /health HTTP/1.1\r\nHost: x\r\n${line}\r\n\r\n`,
      'a preflight': `OPTIONS /v1/models HTTP/1.1\r\nHost: x\r\nOrigin: https://a\r\nAccess-Control-Request-Method: GET\r\n${line}\r\n\r\n`,
      'a head that is too large': postOf('{', { headers: [line, `X-A: ${'x'.repeat(9000)}`] }),
    }),
  )('%s', async (_, bytes) => {
    expect(await idOf(bytes)).toBe('mine');
  });

  it('the response to an unparsable request, though not the id that was sent', async () => {
    expect(await idOf(`rubbish\r\n${line}\r\n\r\n`)).toMatch(uuid);
    expect(await idOf(`GET / HTTP/1.1\r\nHost: a b\r\n${line}\r\n\r\n`)).toMatch(uuid);
  });
});
