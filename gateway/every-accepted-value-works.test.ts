import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countUnhandledErrors } from '../log/unhandled-errors.ts';
import { readSettings } from '../settings/read-settings.ts';
import type { Variable } from '../settings/variable.ts';
import { variables } from '../settings/variables.ts';
import { settingsAsVariables } from '../supervisor/spawn-gateway.ts';
import { extremes } from '../test/data/extreme-values.ts';
import { echo } from '../test/fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../test/fakes/start-fake-backend.ts';
import { startTraceCollector, type TraceCollector } from '../test/fakes/start-trace-collector.ts';
import { RawClient } from '../test/harness/raw-client.ts';
import { startTestGateway, testerSecret } from '../test/harness/start-gateway.ts';
import { waitFor } from '../test/harness/wait-for.ts';

let fakeBackend: FakeBackend;
let collector: TraceCollector;
let unhandledBefore: number;
beforeAll(async () => {
  unhandledBefore = countUnhandledErrors();
  fakeBackend = await startFakeBackend(echo);
  collector = await startTraceCollector();
});
afterAll(async () => {
  await fakeBackend.stop();
  await collector[Symbol.asyncDispose]();
});

/** The errors that a request may get with the smallest value of a limit. */
const narrow: Readonly<Record<string, readonly number[]>> = {
  MAX_REQUEST_BODY_SIZE: [413],
  MAX_REQUEST_BODIES_SIZE: [503],
  MAX_REQUEST_BODIES_SIZE_PER_KEY: [429],
  REQUEST_TIMEOUT: [504],
  STREAM_IDLE_TIMEOUT: [504],
  QUEUE_TIMEOUT: [503],
  BACKEND_CONNECT_TIMEOUT: [502, 503],
  MAX_TOKENS_PER_MINUTE: [429],
  CLIENT_HEADER_TIMEOUT: [408],
};

/** Each boundary value of each numeric variable that the gateway uses, except its port. */
const edges = extremes()
  .filter(({ name }) => name !== 'PORT' && !['Model', 'Engine', 'Platform'].includes(sectionOf(name)))
  .flatMap(({ name, smallest, largest, zeroFits }) =>
    [...new Set([...(zeroFits ? ['0'] : []), smallest, largest])].map(
      (text) => [name, text, text === largest] as const,
    ),
  );

function sectionOf(name: string): string {
  return variables[name as keyof typeof variables].section;
}

describe('every accepted value', () => {
  it.each(Object.entries<Variable>(variables))('%s is passed to the gateway unchanged', (name, { kind }) => {
    for (const { smallest, largest } of extremes().filter((it) => it.name === name)) {
      for (const text of [smallest, largest]) {
        const { settings, problems } = readSettings({ [name]: text });
        expect(problems).toEqual([]);
        expect(readSettings(settingsAsVariables(settings)).settings).toEqual(settings);
      }
    }
    expect(kind.expected).toMatch(/\S/);
  });

  it.concurrent.each(edges)(
    '%s=%s: a gateway responds, or rejects with the error of that limit',
    async (name, text, isLargest) => {
      await using corral = await startTestGateway({
        backend: fakeBackend.backend,
        env: {
          GPU_METRICS: 'off',
          ...(name.startsWith('OTEL_') && { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint }),
          [name]: text,
        },
      });
      expect([200, ...(isLargest ? [] : (narrow[name] ?? []))]).toContain(await ask(corral.port));
      await waitFor('its log line', () => corral.logged.some(({ status }) => status !== undefined));
    },
  );

  it('none of them caused an unhandled error', () => {
    expect(countUnhandledErrors()).toBe(unhandledBefore);
  });
});

/** Sends the head and half of the body, then the rest. */
async function ask(port: number): Promise<number> {
  await using client = await RawClient.connect(port);
  const body = JSON.stringify({ model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] });
  const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${testerSecret}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  client.send(head + body.slice(0, 10));
  await new Promise((resolve) => setImmediate(resolve));
  return (await client.send(body.slice(10)).response())?.status ?? 0;
}
