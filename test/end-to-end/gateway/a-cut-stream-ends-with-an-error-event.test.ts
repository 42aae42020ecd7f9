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

/** How the backend goes away after one whole event. */
const cuts = {
  'between two events': '',
  'in the middle of an event': 'data: {"choices":[{"del',
  'between the two line ends of an event': 'data: {"choices":[]}\n',
};

let standIn: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  standIn = await startFakeBackend((_, response) => response.end());
  corral = await startTestGateway({
    backend: standIn.backend,
    env: { AUTH_ENABLED: 'false', CONTINUE_STREAMS: 'false' },
  });
});
afterAll(async () => {
  await corral.stop();
  await standIn.stop();
});

describe.each(Object.entries(dialects))('%s', (name, { path, body, event, end }) => {
  async function answerTo(say: Parameters<typeof startFakeBackend>[0]) {
    standIn.mood = say;
    await using client = await RawClient.connect(corral.port);
    const answer = await client.send(postOf(body, { path })).answer();
    await gatewayIsIdle(corral, standIn);
    expect(answer?.status).toBe(200);
    return answer?.body ?? '';
  }

  for (const [when, half] of Object.entries(cuts)) {
    it(`cut ${when}`, async () => {
      const body = await answerTo((_, response) => {
        startStream(response).write(`${event}\n\n${half}`, () => response.destroy());
      });
      expect(body.startsWith(`${event}\n\n`)).toBe(true);
      expectError(name, body.slice(event.length + 2), 'bad_gateway');
    });

    it(`ended without its end mark ${when}`, async () => {
      const body = await answerTo((_, response) => startStream(response).end(`${event}\n\n${half}`));
      expect(body.startsWith(`${event}\n\n`)).toBe(true);
      expectError(name, body.slice(event.length + 2), 'bad_gateway');
    });
  }

  it("passes whole events byte for byte, however they are cut into pieces, but for the engine's own pings", async () => {
    const whole = `${event}\n\n:\n\n${end}\n\n`;
    const body = await answerTo(async (_, response) => {
      startStream(response);
      for (let at = 0; at < whole.length; at += 5) {
        await new Promise((resolve) => response.write(whole.slice(at, at + 5), resolve));
      }
      response.end();
    });
    expect(body).toBe(`${event}\n\n${end}\n\n`);
  });

  it('passes an end mark that lacks its last line end', async () => {
    const body = await answerTo((_, response) => startStream(response).end(`${event}\n\n${end}\n`));
    expect(body).toBe(`${event}\n\n${end}\n\n`);
  });

  it("puts the backend's own error event into our words", async () => {
    const error = { code: 500, message: 'Context size has been exceeded.', type: 'server_error' };
    const body = await answerTo((_, response) => {
      startStream(response).end(`${event}\n\ndata: ${JSON.stringify({ error })}\n\n`);
    });
    expect(body.startsWith(`${event}\n\n`)).toBe(true);
    const rest = body.slice(event.length + 2);
    expect(rest).toContain('Context size has been exceeded.');
    expectError(name, rest, 'internal_error');
  });
});

/** In the words of the dialect: one event, alone; of Responses, the events that make up a failure. */
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

/** The stream that was cut has announced no response, without which the SDK takes no other event. */
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
  expect(events[2].response).toMatchObject({ status: 'failed', error: { code, message } });
  expect(text.match(/\n\n/g)).toHaveLength(4);
}
