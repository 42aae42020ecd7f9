import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { delta, echo, sendAndStall, silent, startStream } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import {
  type CollectedSpan,
  spansIn,
  startTraceCollector,
  type TraceCollector,
} from '../../fakes/start-trace-collector.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { startLlamaServer } from '../../services/start-llama-server.ts';

const [server, client, internal] = [2, 3, 1];
const failed = 2;

let collector: TraceCollector;
let fakeBackend: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  vi.stubEnv('OTEL_SERVICE_NAME', 'box-7');
  vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'x-collector-key=of-all-signals');
  vi.stubEnv('OTEL_EXPORTER_OTLP_TRACES_HEADERS', 'x-collector-key=for-the-collector-alone');
  collector = await startTraceCollector();
  fakeBackend = await startFakeBackend(echo);
  corral = await startTestGateway({ backend: fakeBackend.backend, env: { ...traced(), MAX_REPLAYS: '3' } });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await corral.stop();
  await fakeBackend.stop();
  await collector[Symbol.asyncDispose]();
});
beforeEach(() => {
  fakeBackend.scenario = echo;
});

const traced = () => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
  OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json',
  OTEL_BSP_SCHEDULE_DELAY: '20',
});

/** The traceparent of a client. */
function callerOf(flags = '01') {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { traceId, spanId, header: `traceparent: 00-${traceId}-${spanId}-${flags}` };
}

async function send(fields: object, header: string, secret?: string) {
  await using client = await RawClient.connect(corral.port);
  const request = postOf(chatOf('a unique word', fields), {
    headers: [header],
    ...(secret && { secret }),
  });
  return await client.send(request).response();
}

const named = (spans: readonly CollectedSpan[], name: string) => spans.filter((span) => span.name === name);
const request = (spans: readonly CollectedSpan[]) => named(spans, 'POST /v1/chat/completions')[0];

describe('a stream of the real llama-server', () => {
  let spans: readonly CollectedSpan[];
  const caller = callerOf();
  let ids: string[];
  let body: string;
  beforeAll(async () => {
    await using engine = await startLlamaServer();
    await using real = await startTestGateway({ backend: engine.backend, env: traced() });
    await using client = await RawClient.connect(real.port);
    const response = await client
      .send(postOf(chatOf('secret words', { stream: true, max_tokens: 8 }), { headers: [caller.header] }))
      .response();
    ids = [response?.headers['x-request-id'] ?? ''];
    body = response?.body ?? '';
    await client[Symbol.asyncDispose]();
    await real.stop();
    expect(real.logged).toContainEqual(expect.objectContaining({ status: 200, trace: caller.traceId }));
    spans = await collector.spansOf(caller.traceId, 4);
  });

  it("is part of its client's trace and has an admission, an exchange and a relay span", () => {
    expect(spans).toHaveLength(4);
    const root = request(spans);
    expect(root).toMatchObject({ kind: server, parentSpanId: caller.spanId, status: 0 });
    for (const [name, kind] of [
      ['admission', internal],
      ['exchange', client],
      ['relay', internal],
    ] as const)
      expect(named(spans, name)).toEqual([expect.objectContaining({ kind, parentSpanId: root?.spanId })]);
  });

  it('has the attributes of the OpenTelemetry GenAI conventions', () => {
    expect(request(spans)?.attributes).toMatchObject({
      'http.request.method': 'POST',
      'http.route': '/v1/chat/completions',
      'http.response.status_code': 200,
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'llama_cpp',
      'gen_ai.request.model': 'demo',
      'gen_ai.response.finish_reasons': ['length'],
      'gen_ai.usage.input_tokens': expect.any(Number),
      'gen_ai.usage.output_tokens': 8,
      'corral.request_id': ids[0],
      'corral.key_id': 'tester',
      'corral.outcome': 'ok',
      'corral.retries': 0,
    });
    expect(request(spans)?.resource).toMatchObject({
      'service.name': 'box-7',
      'service.version': expect.any(String),
    });
  });

  it('has consecutive child spans within the time of the request', () => {
    const [admission, exchange, relay] = ['admission', 'exchange', 'relay'].map(
      (name) => named(spans, name)[0],
    );
    const times = [
      request(spans)?.start,
      admission?.start,
      admission?.end,
      exchange?.start,
      relay?.start,
      exchange?.end,
    ];
    expect(times).toEqual(times.toSorted((a = 0, b = 0) => a - b));
    expect(relay?.end).toBe(request(spans)?.end);
    expect(Math.abs(Date.now() - (relay?.end ?? 0))).toBeLessThan(3_600_000);
  });

  it('contains no text of the request or the response', () => {
    const sent = collector.deliveries.map((delivery) => delivery.body).join();
    const deltas = [...body.matchAll(/"content":"([^"]{4,})"/g)].map(([, word = '']) => word);
    expect(deltas.length).toBeGreaterThan(0);
    for (const word of ['secret words', corral.secret, ...deltas]) expect(sent).not.toContain(word);
  });
});

it('the traceparent header of the exchange is sent to the backend', async () => {
  const caller = callerOf();
  await send({}, caller.header);
  const [exchange] = named(await collector.spansOf(caller.traceId, 4), 'exchange');
  expect(fakeBackend.received.at(-1)?.headers.traceparent).toBe(
    `00-${caller.traceId}-${exchange?.spanId}-01`,
  );
});

it('a retried request has one exchange span per attempt', async () => {
  let deaths = 2;
  fakeBackend.scenario = (received, response) => {
    if (deaths-- > 0) response.socket?.destroy();
    else echo(received, response);
  };
  const caller = callerOf();
  expect((await send({}, caller.header))?.status).toBe(200);
  const spans = await collector.spansOf(caller.traceId, 8);
  const attempts = named(spans, 'exchange');
  expect(
    attempts.map(({ status, attributes }) => [
      attributes['corral.retries'],
      attributes['error.type'],
      status,
    ]),
  ).toEqual([
    [0, 'broke-off', failed],
    [1, 'broke-off', failed],
    [2, undefined, 0],
  ]);
  expect(named(spans, 'admission')).toHaveLength(3);
  expect(request(spans)?.attributes).toMatchObject({ 'corral.retries': 2, 'corral.outcome': 'ok' });
});

it('a resumed stream has two exchange spans and one relay span', async () => {
  let deaths = 1;
  fakeBackend.scenario = (_, response) => {
    if (deaths-- > 0) startStream(response).write(delta('one '), () => response.socket?.destroy());
    else startStream(response).end(`${delta('two')}data: [DONE]\n\n`);
  };
  const caller = callerOf();
  expect((await send({ stream: true }, caller.header))?.body).toContain('two');
  const spans = await collector.spansOf(caller.traceId, 6);
  expect(named(spans, 'exchange').map(({ attributes }) => attributes['corral.continued'])).toEqual([0, 1]);
  expect(named(spans, 'relay')).toHaveLength(1);
});

it('a rejected request records the error and has no child spans', async () => {
  const caller = callerOf();
  expect((await send({}, caller.header, 'sk-unknown'))?.status).toBe(401);
  const spans = await collector.spansOf(caller.traceId, 1);
  expect(spans).toEqual([expect.objectContaining({ kind: server, status: 0 })]);
  expect(spans[0]?.attributes).toMatchObject({
    'http.response.status_code': 401,
    'error.type': 'invalid_api_key',
    'corral.outcome': 'refused',
  });
});

it('a response that is cut off has the status error', async () => {
  fakeBackend.scenario = (_, response) => void response.socket?.destroy();
  const caller = callerOf();
  expect((await send({}, caller.header))?.status).toBe(502);
  const spans = await collector.spansOf(caller.traceId, 9);
  expect(request(spans)).toMatchObject({ status: failed, attributes: { 'error.type': 'bad_gateway' } });
});

it.each([
  ['before the response', silent, {}, 3],
  ['in the middle of the response', sendAndStall, { stream: true }, 4],
] as const)('a client that disconnects %s is not an error', async (_, scenario, fields, count) => {
  fakeBackend.scenario = scenario;
  const caller = callerOf();
  const client = await RawClient.connect(corral.port);
  client.send(postOf(chatOf('hello', fields), { headers: [caller.header] }));
  await waitFor('the request to arrive', () => fakeBackend.open === 1);
  if (count === 4) await client.receives('one');
  client.reset();
  const spans = await collector.spansOf(caller.traceId, count);
  const ended = {
    'corral.outcome': 'client_left',
    'error.type': 'client_left',
    'http.response.status_code': 499,
  };
  expect(request(spans)).toMatchObject({ status: 0, attributes: ended });
  expect(named(spans, 'exchange')[0]).toMatchObject({
    status: 0,
    attributes: { 'error.type': 'client-left' },
  });
});

it('a request that its client does not sample is not sampled, and the backend gets the same flag', async () => {
  const unsampled = callerOf('00');
  await send({}, unsampled.header);
  expect(fakeBackend.received.at(-1)?.headers.traceparent).toMatch(
    new RegExp(`^00-${unsampled.traceId}-\\w{16}-00$`),
  );
  const sampled = callerOf();
  await send({}, sampled.header);
  await collector.spansOf(sampled.traceId, 4);
  expect(spansIn(collector.deliveries).filter(({ traceId }) => traceId === unsampled.traceId)).toEqual([]);
});

it('probes, pages and unknown paths are not traced', async () => {
  for (const path of ['/ping', '/health', '/metrics', '/v1/none']) await fetch(corral.origin + path);
  const after = callerOf();
  await send({}, after.header);
  await collector.spansOf(after.traceId, 4);
  expect(new Set(spansIn(collector.deliveries).map(({ name }) => name))).toEqual(
    new Set(['POST /v1/chat/completions', 'admission', 'exchange', 'relay']),
  );
});

it('the configured headers are sent to the collector and never logged', () => {
  expect(collector.deliveries.at(-1)?.headers['x-collector-key']).toBe('for-the-collector-alone');
  expect(JSON.stringify(corral.logged)).not.toContain('for-the-collector-alone');
  expect(corral.logged).toContainEqual(
    expect.objectContaining({ msg: 'tracing enabled', collector: collector.endpoint }),
  );
});
