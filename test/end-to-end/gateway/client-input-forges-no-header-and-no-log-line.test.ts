import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatLine } from '../../../log/format-line.ts';
import { echo } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway, testerSecret } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const get = (path: string, lines = '') =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nx-api-key: ${testerSecret}\r\n${lines}\r\n`;

/** Each tries to inject a second log line, a header of the response or of the request to the engine, or markup. */
const attempts: Record<string, string> = {
  'a line end in the path': get('/v1/a%0AINFO%20forged=1'),
  'a head in the path': get('/v1/a%0d%0aX-Forged:%201%0d%0a%0d%0a<script>forged</script>'),
  "a terminal's command in the path": get('/v1/%1b%5b2J%1b%5d0;forged%07'),
  'a turn of direction in the path': get('/v1/%e2%80%aeforged%e2%80%a8'),
  'a line end in an address': get('/v1/models/a%0aforged', 'X-Forwarded-For: 1.2.3.4\\nforged\r\n'),
  'a head in the name of a model': postOf(chatOf('hi', { model: 'a\r\nX-Forged: 1\u001b[31m\u2028forged' })),
  'a head in the type of a body': postOf(chatOf('hi'), {
    headers: ['Content-Type: application/json;\tX-Forged: 1'],
  }),
  'a head in a trace': postOf(chatOf('hi'), { headers: ['traceparent: 00\\r\\nX-Forged: 1'] }),
  'a head in a preflight':
    'OPTIONS /v1/models HTTP/1.1\r\nHost: x\r\nOrigin: https://app.example\r\n' +
    'Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: a\\r\\nX-Forged: 1\r\n\r\n',
  'a value of an administrator': get('/admin/usage?by=a%0aforged&key=%3Cscript%3E'),
};

let fakeBackend: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fakeBackend = await startFakeBackend(echo);
  const env = { CORS_ORIGINS: 'https://app.example', STRICT_MODEL: 'true', MODEL_ALIAS: 'ours' };
  corral = await startTestGateway({ backend: fakeBackend.backend, env });
});
afterAll(async () => {
  await corral.stop();
  await fakeBackend.stop();
});

describe.each(Object.entries(attempts))('%s', (_, bytes) => {
  it('gets one response without an injected header, and one log line', async () => {
    await using client = await RawClient.connect(corral.port);
    const before = corral.logged.length;
    const response = await client.send(bytes).response();
    expect(response?.status).toBeGreaterThanOrEqual(200);
    expect(Object.keys(response?.headers ?? {})).not.toContain('x-forged');
    if (response?.body) expect(response.headers['content-type']).toMatch(/^application\/json/);
    for (const { headers } of fakeBackend.received) expect(Object.keys(headers)).not.toContain('x-forged');
    await waitFor('its line in the log', () => corral.logged.length > before);
    expect(corral.logged.slice(before).map(shown)).toEqual([
      ['text', 'json', 'logfmt'].map(() => 'one line'),
    ]);
  });
});

/** Its form in each log format. */
function shown(line: Readonly<Record<string, unknown>>): string[] {
  const expectedLine = JSON.stringify({
    ...line,
    level: 'info',
    time: new Date(0).toISOString(),
    from: 'gateway',
  });
  const ordered = `{"level":"info",${expectedLine.slice(1)}`;
  return (['text', 'json', 'logfmt'] as const).map((format) => {
    const text = formatLine(ordered, format, false);
    return /^[^\p{Cc}\p{Zl}\p{Zp}\u202e]+\n$/u.test(text) ? 'one line' : text;
  });
}
