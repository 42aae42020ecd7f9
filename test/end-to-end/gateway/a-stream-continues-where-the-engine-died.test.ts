import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { storyText, type Topic } from '../../../cli/demo-model/stories.ts';
import type { StreamEvent } from '../../../sse/sse.ts';
import { type CuttingBackend, startCuttingBackend } from '../../fakes/start-cutting-backend.ts';
import { requestEvents } from '../../harness/request-events.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { withLine } from '../../harness/with-line.ts';
import { type LlamaServer, startLlamaServer } from '../../services/start-llama-server.ts';

let llama: LlamaServer;
let wire: CuttingBackend;
let corral: TestGateway;

beforeAll(async () => {
  llama = await startLlamaServer({ slots: 4 });
  wire = await startCuttingBackend(llama);
  corral = await startTestGateway({ backend: wire.backend, env: { SHORT_ANSWER_TOKENS: '0' } });
});
afterAll(async () => {
  await corral.stop();
  await wire.stop();
  await llama.stop();
});
beforeEach(() => {
  wire.cuts = [];
  wire.partialEvent = '';
});

interface Dialect {
  readonly path: string;
  readonly bodyOf: (topic: string, fields?: object) => object;
  readonly textOf: (event: StreamEvent) => string;
}

const dialects: Readonly<Record<string, Dialect>> = {
  chat: {
    path: '/v1/chat/completions',
    bodyOf: (topic, fields = {}) => ({
      messages: [{ role: 'user', content: topic }],
      stream_options: { include_usage: true },
      ...fields,
    }),
    textOf: ({ choices }) =>
      (choices as { delta?: { content?: string } }[] | undefined)?.[0]?.delta?.content ?? '',
  },
  completion: {
    path: '/v1/completions',
    bodyOf: (topic, fields = {}) => ({ prompt: `<|user|>${topic}<|end|><|assistant|>`, ...fields }),
    textOf: ({ choices }) => (choices as { text?: string }[] | undefined)?.[0]?.text ?? '',
  },
  message: {
    path: '/v1/messages',
    bodyOf: (topic, fields = {}) => ({ messages: [{ role: 'user', content: topic }], ...fields }),
    textOf: ({ delta }) => (delta as { text?: string } | undefined)?.text ?? '',
  },
  response: {
    path: '/v1/responses',
    bodyOf: (topic, fields = {}) => ({ input: topic, ...fields }),
    textOf: ({ type, delta }) => (type === 'response.output_text.delta' ? String(delta) : ''),
  },
};

/** Replaces what differs between any two responses to the same request. */
function normalize(text: string): string {
  return text
    .replace(/"(id|item_id)":"\w+-?\w+"/g, '"$1":"…"')
    .replace(/"(created|created_at|completed_at)":\d+/g, '"$1":0')
    .replace(/"\w+_(ms|per_second)":[\d.e+-]+/g, '"ms":0')
    .replace(/"cache_n":\d+,"prompt_n":\d+/g, '"read":0')
    .replace(/"cached_tokens":\d+/g, '"cached":0')
    .replace(/"cache_read_input_tokens":\d+,"input_tokens":\d+/g, '"read":0');
}

async function requestJson(path: string, body: object): Promise<string> {
  const response = await fetch(`${corral.origin}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${corral.secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, stream_options: undefined }),
  });
  expect(response.status).toBe(200);
  return response.text();
}

describe.each(Object.entries(dialects))('%s', (_, { path, bodyOf, textOf }) => {
  const textIn = (events: readonly StreamEvent[]) => events.map(textOf).join('');

  it('a stream that breaks after any event has the same events as an unbroken one', async () => {
    const complete = await requestEvents(corral.port, path, bodyOf('limits', { max_tokens: 12 }));
    for (let cutAfter = 0; cutAfter <= complete.events.length; cutAfter++) {
      wire.cuts = [cutAfter];
      const cut = await requestEvents(corral.port, path, bodyOf('limits', { max_tokens: 12 }));
      expect(normalize(cut.text), `cut after ${cutAfter} events`).toBe(normalize(complete.text));
      expect(new Set(cut.text.match(/"(?:id|item_id)":"[^"]+"/g)).size).toBe(
        new Set(complete.text.match(/"(?:id|item_id)":"[^"]+"/g)).size,
      );
    }
  });

  it.each<Topic>(['survival', 'emoji'])(
    'a stream that breaks several times sends the story of %s once',
    async (topic) => {
      wire.cuts = [9, 9, 9, 9];
      wire.partialEvent = 'data: {"choices":[{"finish_reason":null,"index":0,"delta":{"con';
      const [{ events }, line] = await withLine(corral, () =>
        requestEvents(corral.port, path, bodyOf(topic)),
      );
      expect(textIn(events)).toBe(storyText(topic));
      expect(line).toMatchObject({ status: 200, continued: 4 });
    },
  );

  it('a JSON response whose engine dies after any event is the same as an unbroken one', async () => {
    const complete = await requestJson(path, bodyOf('limits', { max_tokens: 12 }));
    const { events } = await requestEvents(corral.port, path, bodyOf('limits', { max_tokens: 12 }));
    const firstText = events.findIndex((event) => textOf(event) !== '') + 1;
    for (let cutAfter = 1; cutAfter <= events.length; cutAfter++) {
      wire.cuts = [cutAfter, 6];
      const body = bodyOf('limits', { max_tokens: 12 });
      const [cut, line] = await withLine(corral, () => requestJson(path, body));
      expect(normalize(cut), `cut after ${cutAfter} events`).toBe(normalize(complete));
      expect(line.continued, `cut after ${cutAfter} events`).toBeGreaterThan(0);
      expect(line.retries, `cut after ${cutAfter} events`).toBe(cutAfter < firstText ? 1 : undefined);
    }
  });

  it('a JSON response survives more crashes than MAX_REPLAYS, because each engine makes progress', async () => {
    wire.cuts = [9, 9, 9, 9, 9, 9];
    const [response, line] = await withLine(corral, () => requestJson(path, bodyOf('survival')));
    expect(response).toContain(JSON.stringify(storyText('survival')));
    expect(line).toMatchObject({ status: 200, continued: 6, stream: false });
    expect(line).not.toHaveProperty('retries');
  });

  it('a stop sequence that spans the break ends the stream', async () => {
    const stop = ' slots. Others wait';
    for (let cutAfter = 3; cutAfter <= 9; cutAfter++) {
      wire.cuts = [cutAfter];
      const fields = path === '/v1/messages' ? { stop_sequences: [stop] } : { stop: [stop] };
      const { events } = await requestEvents(corral.port, path, bodyOf('limits', fields));
      expect(textIn(events)).toBe('The engine answers as many requests together as it has');
    }
  });
});

describe('a message that is converted to a chat', () => {
  const tools = [{ name: 'f', input_schema: { type: 'object', properties: {} } }];
  const asChat = { type: 'auto', disable_parallel_tool_use: true };
  const bodyOf = (topic: string, fields: object = {}) => ({
    messages: [{ role: 'user', content: topic }],
    tools,
    tool_choice: asChat,
    ...fields,
  });

  it('has the same events as an unbroken one, wherever it breaks', async () => {
    const complete = await requestEvents(corral.port, '/v1/messages', bodyOf('limits', { max_tokens: 8 }));
    for (let cutAfter = 0; cutAfter <= complete.events.length; cutAfter++) {
      wire.cuts = [cutAfter];
      const cut = await requestEvents(corral.port, '/v1/messages', bodyOf('limits', { max_tokens: 8 }));
      expect(normalize(cut.text), `cut after ${cutAfter} events`).toBe(normalize(complete.text));
    }
  });

  it('contains its text once, streamed and as JSON', async () => {
    wire.cuts = [9, 9, 9, 9];
    const [{ events }, line] = await withLine(corral, () =>
      requestEvents(corral.port, '/v1/messages', bodyOf('emoji')),
    );
    expect(events.map(({ delta }) => (delta as { text?: string } | undefined)?.text ?? '').join('')).toBe(
      storyText('emoji'),
    );
    expect(line).toMatchObject({ status: 200, continued: 4 });
    wire.cuts = [9, 9];
    const [response, jsonLine] = await withLine(corral, () => requestJson('/v1/messages', bodyOf('emoji')));
    expect(response).toContain(JSON.stringify(storyText('emoji')));
    expect(jsonLine).toMatchObject({ status: 200, continued: 2, stream: false });
  });
});
