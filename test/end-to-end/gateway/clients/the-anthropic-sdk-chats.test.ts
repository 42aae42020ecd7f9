import Anthropic, {
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
} from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { storyText, storyThought } from '../../../../cli/demo-model/stories.ts';
import { startFakeBackend } from '../../../fakes/start-fake-backend.ts';
import { recordTraffic } from '../../../harness/record-traffic.ts';
import { type Demo, startDemo } from '../../../harness/start-demo.ts';
import { startTestGateway } from '../../../harness/start-gateway.ts';
import { waitFor } from '../../../harness/wait-for.ts';

let demo: Demo;
beforeAll(async () => {
  demo = await startDemo({ env: { STRICT_MODEL: 'true' } });
});
afterAll(() => demo.stop());

/** A client. All its responses are checked with the strict schemas when the test ends. */
function connect(baseURL = demo.corral.origin, apiKey = demo.apiKey) {
  const wire = recordTraffic();
  onTestFinished(() => expect(wire.violations).toEqual([]));
  return { anthropic: new Anthropic({ baseURL, apiKey, fetch: wire.fetch, maxRetries: 0 }), wire };
}

const bodyOf = (content: string) => ({
  model: 'demo',
  max_tokens: 500,
  messages: [{ role: 'user' as const, content }],
});

it('the Anthropic SDK gets a message', async () => {
  const { anthropic } = connect();
  const message = await anthropic.messages.create(bodyOf('keys'));
  expect(message.content).toMatchObject([{ type: 'text', text: storyText('keys') }]);
  expect(message).toMatchObject({ role: 'assistant', stop_reason: 'end_turn', model: 'demo' });
  expect(message.usage.output_tokens).toBeGreaterThan(20);
  expect(message._request_id).toMatch(/^[0-9a-f-]{36}$/);
});

it('the Anthropic SDK streams a message', async () => {
  const { anthropic, wire } = connect();
  const stream = anthropic.messages.stream(bodyOf('emoji'));
  expect(await stream.finalText()).toBe(storyText('emoji'));
  const { stop_reason, usage } = await stream.finalMessage();
  expect(stop_reason).toBe('end_turn');
  expect(usage.output_tokens).toBeGreaterThan(20);
  expect(wire.last.text).toMatch(/event: message_stop\ndata: .*\n\n$/);
});

it('the Anthropic SDK sees that a message was cut off at max_tokens', async () => {
  const { anthropic } = connect();
  const message = await anthropic.messages.create({ ...bodyOf('keys'), max_tokens: 3 });
  expect(message).toMatchObject({ stop_reason: 'max_tokens', usage: { output_tokens: 3 } });
});

it.each([500, 30])(
  'the Anthropic SDK sees which sequence stopped a message, streamed or not (at most %i tokens)',
  async (max_tokens) => {
    const { anthropic } = connect();
    const request = {
      ...bodyOf('keys'),
      max_tokens,
      stop_sequences: ['nowhere', storyText('keys').slice(20, 26)],
    };
    const plain = await anthropic.messages.create(request);
    const streamed = await anthropic.messages.stream(request).finalMessage();
    for (const message of [plain, streamed]) {
      expect(message).toMatchObject({
        stop_reason: 'stop_sequence',
        stop_sequence: storyText('keys').slice(20, 26),
      });
      expect(message.content).toMatchObject([{ text: storyText('keys').slice(0, 20) }]);
      expect(message.id).toMatch(/^msg_/);
    }
  },
);

it('the Anthropic SDK gets thinking as a separate block', async () => {
  const { anthropic } = connect();
  const blocks = [
    { type: 'thinking', thinking: storyThought('thinking') },
    { type: 'text', text: storyText('thinking') },
  ];
  expect((await anthropic.messages.create(bodyOf('thinking'))).content).toMatchObject(blocks);
  expect((await anthropic.messages.stream(bodyOf('thinking')).finalMessage()).content).toMatchObject(blocks);
});

const withTools = {
  ...bodyOf('What is the weather like?'),
  tool_choice: { type: 'any' as const },
  tools: [
    {
      name: 'weather_in',
      input_schema: {
        type: 'object' as const,
        properties: { city: { type: 'string', enum: ['Bergen', 'Oslo'] } },
        required: ['city'],
        additionalProperties: false,
      },
    },
  ],
};
const call = {
  type: 'tool_use',
  name: 'weather_in',
  input: { city: expect.stringMatching(/^(Bergen|Oslo)$/) },
};

it('the Anthropic SDK gets a tool call', async () => {
  const { anthropic } = connect();
  const plain = await anthropic.messages.create(withTools);
  expect(plain.stop_reason).toBe('tool_use');
  expect(plain.content.at(-1)).toMatchObject(call);
  const streamed = await anthropic.messages.stream(withTools).finalMessage();
  expect(streamed.stop_reason).toBe('tool_use');
  expect(streamed.content.at(-1)).toMatchObject(call);
});

it('the Anthropic SDK lists the models page by page, and gets one of them', async () => {
  await using corral = await startTestGateway({
    backend: demo.engine.backend,
    env: { MODEL_ALIAS: 'demo,claude-local,acme/demo' },
  });
  const { anthropic } = connect(corral.origin);
  const ids: string[] = [];
  for await (const { id } of anthropic.models.list({ limit: 1 })) ids.push(id);
  expect(ids).toEqual(['demo', 'claude-local', 'acme/demo']);
  const page = await anthropic.models.list({ limit: 1000 });
  expect(page).toMatchObject({ has_more: false, first_id: 'demo', last_id: 'acme/demo' });
  const before = await anthropic.models.list({ limit: 1, before_id: 'acme/demo' });
  expect(before).toMatchObject({ has_more: true, first_id: 'claude-local' });
  expect(await anthropic.models.retrieve('acme/demo')).toMatchObject({
    type: 'model',
    display_name: 'acme/demo',
    created_at: expect.stringMatching(/^\d{4}-.*Z$/),
    max_input_tokens: 8192,
    _request_id: expect.stringMatching(/\S/),
  });
  for (const wrong of [{ limit: 0 }, { limit: 1001 }, { after_id: 'nobody' }]) {
    const error = await anthropic.models.list(wrong).catch((it) => it);
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error.error).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
  }
});

it('the Anthropic SDK counts tokens', async () => {
  const { anthropic } = connect();
  const { max_tokens: _, ...request } = bodyOf('keys');
  const { input_tokens } = await anthropic.messages.countTokens(request);
  const { usage } = await anthropic.messages.create({ ...request, max_tokens: 1 });
  expect(input_tokens).toBe(usage.input_tokens + (usage.cache_read_input_tokens ?? 0));
});

describe('the Anthropic SDK understands', () => {
  const getError = async (response: PromiseLike<unknown>): Promise<APIError> => {
    const error = await response.then(
      () => undefined,
      (it) => it,
    );
    expect(error).toBeInstanceOf(APIError);
    expect(error.requestID).toMatch(/^[0-9a-f-]{36}$/);
    expect(error.error).toMatchObject({ type: 'error', request_id: error.requestID });
    return error;
  };

  it('AuthenticationError: an unknown key', async () => {
    const { anthropic } = connect(demo.corral.origin, 'sk-nobody');
    const error = await getError(anthropic.messages.create(bodyOf('keys')));
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(error.error).toMatchObject({ error: { type: 'authentication_error' } });
  });

  it.each([
    ['we', false, 'horse '.repeat(9000)],
    ['we', true, 'horse '.repeat(9000)],
    // So few bytes for so many tokens: only the engine can count them.
    ['the engine', false, 'x'.repeat(9000)],
    ['the engine', true, 'x'.repeat(9000)],
  ])(
    'BadRequestError with the text of Anthropic: a prompt that is too long, rejected by %s (stream: %s)',
    async (_, stream, prompt) => {
      const { anthropic } = connect();
      const error = await getError(anthropic.messages.create({ ...bodyOf(prompt), stream }));
      expect(error).toBeInstanceOf(BadRequestError);
      expect(error.error).toMatchObject({
        error: {
          type: 'invalid_request_error',
          message: expect.stringMatching(/^prompt is too long: \d{4,} tokens > 8192 maximum$/),
        },
      });
    },
  );

  it.each([
    ['in a message', (picture: Anthropic.ImageBlockParam) => [picture]],
    [
      'in the result of a tool',
      (picture: Anthropic.ImageBlockParam) => [
        { type: 'tool_result' as const, tool_use_id: 'a', content: [picture] },
      ],
    ],
  ])('BadRequestError: an image %s for a text model, also when counting', async (_, contentOf) => {
    const { anthropic, wire } = connect();
    const data = 'iVBORw0KGgo=';
    const content = contentOf({ type: 'image', source: { type: 'base64', media_type: 'image/png', data } });
    const request = { ...bodyOf('keys'), messages: [{ role: 'user' as const, content }] };
    const { max_tokens: _unused, ...counted } = request;
    for (const response of [
      () => anthropic.messages.create(request, { maxRetries: 2 }),
      () => anthropic.messages.countTokens(counted, { maxRetries: 2 }),
    ]) {
      const error = await getError(response());
      expect(error).toBeInstanceOf(BadRequestError);
      expect(error.message).toMatch(/image input is not supported.*messages\[0\]\.content\[0\].*MMPROJ/);
    }
    expect(wire.responses).toHaveLength(2);
  });

  it('NotFoundError: a model that is not in the list, and a base URL with an extra /v1', async () => {
    const { anthropic } = connect();
    const error = await getError(anthropic.models.retrieve('claude'));
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error.error).toMatchObject({ error: { type: 'not_found_error' } });
    const failed = await getError(
      connect(`${demo.corral.origin}/v1`).anthropic.messages.create(bodyOf('keys')),
    );
    expect(failed).toBeInstanceOf(NotFoundError);
    expect(failed.message).toContain('Did you mean /v1/messages?');
  });

  it('NotFoundError: a model that is not served', async () => {
    const { anthropic } = connect();
    const error = await getError(anthropic.messages.create({ ...bodyOf('keys'), model: 'claude' }));
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error.error).toMatchObject({ error: { type: 'not_found_error' } });
  });

  it('InternalServerError: a backend that fails', async () => {
    await using fakeBackend = await startFakeBackend((_, response) => response.destroy());
    await using corral = await startTestGateway({ backend: fakeBackend.backend });
    const { anthropic } = connect(corral.origin);
    const error = await getError(anthropic.messages.create(bodyOf('keys')));
    expect(error).toBeInstanceOf(InternalServerError);
    expect(error.error).toMatchObject({ error: { type: 'api_error' } });
  });

  it('InternalServerError: a server that is overloaded', async () => {
    await using fakeBackend = await startFakeBackend((_, response) => response.writeHead(503).end('{}'));
    await using corral = await startTestGateway({ backend: fakeBackend.backend });
    const { anthropic } = connect(corral.origin);
    const error = await getError(anthropic.messages.create(bodyOf('keys')));
    expect(error).toBeInstanceOf(InternalServerError);
    expect(error.error).toMatchObject({ error: { type: 'overloaded_error' } });
  });

  it('that it may retry, and is served', async () => {
    const held: (() => void)[] = [];
    await using fakeBackend = await startFakeBackend((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const result = () => void response.end(JSON.stringify(finished));
      if (held.push(result) > 1) result();
    });
    const env = { MAX_CONCURRENT_REQUESTS: '1', MAX_QUEUE_SIZE: '0' };
    await using corral = await startTestGateway({ backend: fakeBackend.backend, env });
    const { anthropic, wire } = connect(corral.origin);
    const first = anthropic.messages.create(bodyOf('keys'));
    await waitFor('the first request to run', () => held.length === 1);
    const second = anthropic.messages.create(bodyOf('keys'), { maxRetries: 1 });
    await waitFor('a rejected request', () => wire.responses.length === 1);
    held[0]?.();
    await first;
    const message = await second;
    expect(wire.responses.map(({ status }) => status)).toEqual([503, 200, 200]);
    expect(message.content).toMatchObject([{ text: 'Hello' }]);
  });

  it('APIError in the middle of a stream that fails', async () => {
    await using fakeBackend = await startFakeBackend((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const started = { ...finished, content: [], stop_reason: null };
      const event = JSON.stringify({ type: 'message_start', message: started });
      response.write(`event: message_start\ndata: ${event}\n\n`, () => response.destroy());
    });
    await using corral = await startTestGateway({ backend: fakeBackend.backend });
    const { anthropic } = connect(corral.origin);
    const error = await anthropic.messages
      .stream(bodyOf('keys'))
      .finalMessage()
      .catch((it) => it);
    expect(error).toBeInstanceOf(APIError);
    expect(error.error).toMatchObject({ type: 'error', error: { type: 'api_error' } });
  });
});

const finished = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'demo',
  content: [{ type: 'text', text: 'Hello' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 1 },
};
