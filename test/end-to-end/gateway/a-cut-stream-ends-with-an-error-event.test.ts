import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStream } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';

const dialects = {
  openai: {
    path: '/v1/chat/completions',
    body: { messages: [], stream: true },
    event: `data: ${JSON.stringify({ choices: [{ delta: { content: 'data: [DONE] error: {"a":1} event: error' } }] })}`,
    end: 'data: [DONE]',
  },
  responses: {
    path: '/v1/responses',
    body: { input: 'hello', stream: true },
    event: `event: response.queued\ndata: ${JSON.stringify({ type: 'response.queued', said: 'event: response.completed', sequence_number: 0 })}`,
    end: 'event: response.completed\ndata: {"type":"response.completed","sequence_number":1}',
  },
  anthropic: {
    path: '/v1/messages',
    body: { messages: [], max_tokens: 9, stream: true },
    event: `event: content_block_delta\ndata: ${JSON.stringify({ type: 'content_block_delta', delta: { text: 'event: message_stop' } })}`,
    end: 'event: message_stop\ndata: {"type":"message_stop"}',
  },
  native: {
    path: '/completion',
    body: { prompt: 'hello', stream: true },
    event: `data: ${JSON.stringify({ content: '"stop":true data: [DONE]', stop: false })}`,
    end: 'data: {"content":"","stop":true}',
  },
} as const;

/** What the backend sends after one complete event, before it disconnects. */
const cuts = {
  'between two events': '',
  'in the middle of an event': 'data: {"choices":[{"del',
  'between the two line ends of an event': 'data: {"choices":[]}\n',
};

let fake: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fake = await startFakeBackend((_, response) => response.end());
  corral = await startTestGateway({
    backend: fake.backend,
    env: { AUTH_ENABLED: 'false', CONTINUE_STREAMS: 'false' },
  });
});
afterAll(async () => {
  await corral.stop();
  await fake.stop();
});

describe.each(Object.entries(dialects))('%s', (name, { path, body, event, end }) => {
  async function responseTo(scenario: Parameters<typeof startFakeBackend>[0]) {
    fake.scenario = scenario;
    await using client = await RawClient.connect(corral.port);
    const response = await client.send(postOf(body, { path })).response();
    await gatewayIsIdle(corral, fake);
    expect(response?.status).toBe(200);
    return response?.body ?? '';
  }

  for (const [when, partial] of Object.entries(cuts)) {
    it(`a connection that is lost ${when} ends with an error event`, async () => {
      const body = await responseTo((_, response) => {
        startStream(response).write(`${event}\n\n${partial}`, () => response.destroy());
      });
      expect(body.startsWith(`${event}\n\n`)).toBe(true);
      expectError(name, body.slice(event.length + 2), 'bad_gateway');
    });

    it(`a stream that is closed without its end marker ${when} ends with an error event`, async () => {
      const body = await responseTo((_, response) => startStream(response).end(`${event}\n\n${partial}`));
      expect(body.startsWith(`${event}\n\n`)).toBe(true);
      expectError(name, body.slice(event.length + 2), 'bad_gateway');
    });
  }

  it("complete events pass byte for byte, however they are cut, except the engine's own comments", async () => {
    const complete = `${event}\n\n:\n\n${end}\n\n`;
    const body = await responseTo(async (_, response) => {
      startStream(response);
      for (let at = 0; at < complete.length; at += 5) {
        await new Promise((resolve) => response.write(complete.slice(at, at + 5), resolve));
      }
      response.end();
    });
    expect(body).toBe(`${event}\n\n${end}\n\n`);
  });

  it('an end marker that lacks its last line end passes', async () => {
    const body = await responseTo((_, response) => startStream(response).end(`${event}\n\n${end}\n`));
    expect(body).toBe(`${event}\n\n${end}\n\n`);
  });

  it("the backend's own error event is rewritten to the format of the API", async () => {
    const error = { code: 500, message: 'Context size has been exceeded.', type: 'server_error' };
    const body = await responseTo((_, response) => {
      startStream(response).end(`${event}\n\ndata: ${JSON.stringify({ error })}\n\n`);
    });
    expect(body.startsWith(`${event}\n\n`)).toBe(true);
    const rest = body.slice(event.length + 2);
    expect(rest).toContain('Context size has been exceeded.');
    expectError(name, rest, 'internal_error');
  });
});

/** In the format of the API: one event alone, or for Responses the events of a failed response. */
function expectError(dialect: string, text: string, code: string): void {
  if (dialect === 'responses') {
    expectFailure(text, code);
    return;
  }
  expect(text.match(/\n\n/g)).toHaveLength(1);
  const json = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? '');
  const message = expect.stringMatching(/.+/);
  if (dialect === 'anthropic') {
    expect(text).toMatch(/^event: error\n/);
    expect(json).toEqual({ type: 'error', error: { type: 'api_error', message } });
  } else {
    expect(text).toMatch(/^data: /);
    expect(json).toEqual({ error: { message, type: 'server_error', param: null, code } });
  }
}

/** The broken stream has announced no response. Without that the SDK accepts no other event. */
function expectFailure(text: string, code: string): void {
  const events = [...text.matchAll(/^event: (.*)\ndata: (.*)\n$/gm)].map(([, name, data = '']) => ({
    name,
    ...JSON.parse(data),
  }));
  const names = ['response.created', 'response.in_progress', 'response.failed', 'error'];
  expect(events.map(({ name }) => name)).toEqual(names);
  expect(events.map(({ sequence_number }) => sequence_number)).toEqual([1, 2, 3, 4]);
  const message = expect.stringMatching(/.+/);
  expect(events[3]).toMatchObject({ code, message, param: null });
  expect(events[2].response).toMatchObject({ status: 'failed', error: { code: 'server_error', message } });
  expect(text.match(/\n\n/g)).toHaveLength(4);
}
