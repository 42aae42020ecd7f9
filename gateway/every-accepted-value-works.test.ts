import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countUnhandledErrors } from '../log/unhandled-errors.ts';
import { readSettings } from '../settings/read-settings.ts';
import { type Variable, variables } from '../settings/variables.ts';
import { settingsAsVariables } from '../supervisor/spawn-gateway.ts';
import { echo } from '../test/fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../test/fakes/start-fake-backend.ts';
import { startTraceCollector, type TraceCollector } from '../test/fakes/start-trace-collector.ts';
import { extremes } from '../test/harness/extreme-values.ts';
import { RawClient } from '../test/harness/raw-client.ts';
import { startTestGateway, testerSecret } from '../test/harness/start-gateway.ts';
import { waitFor } from '../test/harness/wait-for.ts';

let standIn: FakeBackend;
let collector: TraceCollector;
let unforeseenBefore: number;
beforeAll(async () => {
  unforeseenBefore = countUnhandledErrors();
  standIn = await startFakeBackend(echo);
  collector = await startTraceCollector();
});
afterAll(async () => {
  await standIn.stop();
  await collector[Symbol.asyncDispose]();
});

/** What a request may be told where a limit is as narrow as can be, and is none the less what was asked for. */
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

/** A gateway for each edge of each number that means something to it; its port is the harness's. */
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

describe('every value that is read', () => {
  it.each(Object.entries<Variable>(variables))(
    '%s is handed on to the gateway as it is',
    (name, { kind }) => {
      for (const { smallest, largest } of extremes().filter((it) => it.name === name)) {
        for (const text of [smallest, largest]) {
          const { settings, problems } = readSettings({ [name]: text });
          expect(problems).toEqual([]);
          expect(readSettings(settingsAsVariables(settings)).settings).toEqual(settings);
        }
      }
      expect(kind.expected).toMatch(/\S/);
    },
  );

  it.concurrent.each(edges)(
    '%s=%s: a gateway answers, or refuses in the words of that limit',
    async (name, text, isLargest) => {
      await using corral = await startTestGateway({
        backend: standIn.backend,
        env: {
          GPU_METRICS: 'off',
          ...(name.startsWith('OTEL_') && { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint }),
          [name]: text,
        },
      });
      expect([200, ...(isLargest ? [] : (narrow[name] ?? []))]).toContain(await ask(corral.port));
      await waitFor('its line in the log', () => corral.logged.some(({ status }) => status !== undefined));
    },
  );

  it('none of them threw where nobody was there to see it', () => {
    expect(countUnhandledErrors()).toBe(unforeseenBefore);
  });
});

/** The head and the two halves of the body come in packets of their own. */
async function ask(port: number): Promise<number> {
  await using client = await RawClient.connect(port);
  const body = JSON.stringify({ model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] });
  const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${testerSecret}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  client.send(head + body.slice(0, 10));
  await new Promise((resolve) => setImmediate(resolve));
  return (await client.send(body.slice(10)).answer())?.status ?? 0;
}
