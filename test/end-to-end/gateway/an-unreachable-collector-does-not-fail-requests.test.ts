import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { echo } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { startTraceCollector, type TraceCollector } from '../../fakes/start-trace-collector.ts';
import { freePort } from '../../harness/free-port.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';
import { startGatewayProcess } from '../../harness/start-gateway-process.ts';
import { waitFor } from '../../harness/wait-for.ts';

let fakeBackend: FakeBackend;
let collector: TraceCollector;
beforeAll(async () => {
  fakeBackend = await startFakeBackend(echo);
  collector = await startTraceCollector();
});
afterAll(async () => {
  await fakeBackend.stop();
  await collector[Symbol.asyncDispose]();
});

const batched = { OTEL_BSP_SCHEDULE_DELAY: '5' };
/** Too short for a retry by the exporter, which comes after a second. */
const withoutRetry = { ...batched, OTEL_EXPORTER_OTLP_TIMEOUT: '500' };

async function sendRequests(port: number, times = 20): Promise<unknown[]> {
  await using client = await RawClient.connect(port);
  const statuses: unknown[] = [];
  for (let n = 0; n < times; n++)
    statuses.push((await client.send(postOf(chatOf(`${n}`))).response())?.status);
  return statuses;
}

const allOk = (times = 20) => Array.from({ length: times }, () => 200);

it('requests succeed while the collector is unreachable, which is logged once', async () => {
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  const env = { ...withoutRetry, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint };
  await using corral = await startTestGateway({ backend: fakeBackend.backend, env });
  expect(await sendRequests(corral.port)).toEqual(allOk());
  const warnings = () => corral.logged.filter(({ msg }) => String(msg).startsWith('trace export failed'));
  await waitFor('a warning', () => warnings().length > 0);
  expect(await sendRequests(corral.port)).toEqual(allOk());
  await corral.stop();
  expect(warnings()).toEqual([expect.objectContaining({ reason: 'ECONNREFUSED' })]);
});

it('the status of a collector that rejects traces is logged, and its recovery too', async () => {
  const env = { ...batched, OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint };
  await using corral = await startTestGateway({ backend: fakeBackend.backend, env });
  const accept = collector.respond;
  collector.respond = (response) => response.writeHead(403).end('text from the collector');
  expect(await sendRequests(corral.port)).toEqual(allOk());
  const logLine = (text: string) => () => corral.logged.find(({ msg }) => String(msg).startsWith(text));
  expect(await waitFor('the warning', logLine('trace export failed'))).toMatchObject({ reason: '403' });
  collector.respond = accept;
  expect(await sendRequests(corral.port)).toEqual(allOk());
  expect(await waitFor('the recovery', logLine('trace export recovered'))).toMatchObject({ level: 30 });
  expect(JSON.stringify(corral.logged)).not.toContain('text from the collector');
});

it('a collector that never responds delays neither requests nor shutdown', async () => {
  collector.respond = () => {};
  const env = { ...withoutRetry, OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint };
  const before = collector.deliveries.length;
  await using corral = await startTestGateway({ backend: fakeBackend.backend, env });
  expect(await sendRequests(corral.port, 200)).toEqual(allOk(200));
  await waitFor('spans to be sent', () => collector.deliveries.length > before);
  await corral.stop();
});

it('a stopping gateway process sends its remaining spans as protobuf before it exits', async () => {
  const before = collector.deliveries.length;
  collector.respond = (response) => response.setHeader('content-type', 'application/x-protobuf').end();
  const env = {
    AUTH_ENABLED: 'false',
    OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.endpoint}/`,
    OTEL_BSP_SCHEDULE_DELAY: '3600000',
  };
  await using corral = await startGatewayProcess(fakeBackend.backend, env);
  expect(await sendRequests(Number(new URL(corral.origin).port), 3)).toEqual(allOk(3));
  const ended = once(corral.process, 'exit');
  corral.process.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  await waitFor('its spans', () => collector.deliveries.length > before);
  const sent = collector.deliveries.slice(before);
  expect(sent.map(({ headers }) => headers['content-type'])).toEqual(['application/x-protobuf']);
  expect(sent[0]?.body.match(/POST \/v1\/chat\/completions/g)).toHaveLength(3);
  expect(sent[0]?.body).toContain('llama-corral');
});

it('OpenTelemetry is not loaded if no collector is configured', async () => {
  const preload = join(import.meta.dirname, '../../harness/programs/block-opentelemetry.js');
  const env = { AUTH_ENABLED: 'false', NODE_OPTIONS: `--import=${preload}` };
  await using corral = await startGatewayProcess(fakeBackend.backend, env);
  expect(await sendRequests(Number(new URL(corral.origin).port), 1)).toEqual(allOk(1));
});
