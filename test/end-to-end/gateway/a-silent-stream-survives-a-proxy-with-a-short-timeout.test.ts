import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatEvent } from '../../../sse/sse.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { startTestGateway, testerSecret } from '../../harness/start-gateway.ts';
import { nginx } from '../../services/service-catalogue.ts';
import { startNginx } from '../../services/start-nginx.ts';
import { requireTestService } from '../../services/test-service.ts';

const program = await requireTestService(nginx);

const PROXY_TIMEOUT = '4s';
/** Longer than that, as a prompt that takes minutes is longer than the 60 s of a common proxy. */
const SILENCE = 4500;
const withKeepAlives = {
  STREAM_HEADERS_AFTER: '200ms',
  STREAM_KEEPALIVE: '200ms',
  JSON_KEEPALIVE_AFTER: '200ms',
};
const withoutKeepAlives = { STREAM_HEADERS_AFTER: '1h', STREAM_KEEPALIVE: '0' };

const chunks = ['{"choices":[{"index":0,"delta":{"content":"At last."},"finish_reason":null}]}', '[DONE]'];
const result = '{"choices":[{"index":0,"message":{"role":"assistant","content":"At last."}}]}';

/** Until then the backend does not respond. */
const { promise: proxyHasGivenUp, resolve: giveUp } = Promise.withResolvers<void>();

let fake: FakeBackend;
beforeAll(async () => {
  fake = await startFakeBackend(async ({ body }, response) => {
    const isStream = JSON.parse(body).wanted === 'stream';
    await Promise.all([proxyHasGivenUp, sleep(SILENCE)]);
    response.setHeader('content-type', isStream ? 'text/event-stream' : 'application/json');
    response.end(isStream ? chunks.map((chunk) => formatEvent(chunk)).join('') : result);
  });
});
afterAll(() => fake.stop());

async function sendThroughNginx(env: Record<string, string>, stream: boolean) {
  if (!program) throw new Error('there is no nginx');
  await using corral = await startTestGateway({ backend: fake.backend, env });
  await using proxy = await startNginx(program, {
    upstream: `127.0.0.1:${corral.port}`,
    readTimeout: PROXY_TIMEOUT,
  });
  const reply = await fetch(`${proxy.origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${testerSecret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ stream, wanted: stream ? 'stream' : 'object', messages: [] }),
  });
  return { status: reply.status, text: await reply.text() };
}

describe.runIf(program)('a silence longer than the timeout of nginx', () => {
  it.concurrent('ends a stream without keep-alives', async () => {
    const { status } = await sendThroughNginx(withoutKeepAlives, true).finally(giveUp);
    expect(status).toBe(504);
  });

  it.concurrent('does not end a stream with keep-alives', async () => {
    const { status, text } = await sendThroughNginx(withKeepAlives, true);
    expect(status).toBe(200);
    expect(text).toMatch(/^(: keep-alive\n\n)+data: \{/);
    expect(text.replaceAll(': keep-alive\n\n', '')).toBe(chunks.map((chunk) => formatEvent(chunk)).join(''));
  });

  it.concurrent('does not end a JSON request, whose response begins with white space', async () => {
    const { status, text } = await sendThroughNginx(withKeepAlives, false);
    expect(status).toBe(200);
    expect(text).toMatch(/^\s+\{/);
    expect(JSON.parse(text)).toEqual(JSON.parse(result));
  });
});
