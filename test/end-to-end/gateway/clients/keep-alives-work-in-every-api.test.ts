import Anthropic, { APIError as AnthropicError } from '@anthropic-ai/sdk';
import { APIError } from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { storyText } from '../../../../cli/demo-model/stories.ts';
import { RawClient } from '../../../harness/raw-client.ts';
import { postOf } from '../../../harness/raw-request.ts';
import { type RecordedTraffic, recordTraffic } from '../../../harness/record-traffic.ts';
import { type Demo, startDemo } from '../../../harness/start-demo.ts';
import { startTestGateway } from '../../../harness/start-gateway.ts';
import { waitFor } from '../../../harness/wait-for.ts';
import { connectOpenAI } from './connect-openai.ts';

let demo: Demo;
beforeAll(async () => {
  demo = await startDemo({
    llama: { slots: 1 },
    env: { STREAM_HEADERS_AFTER: '50ms', STREAM_KEEPALIVE: '100ms', QUEUE_TIMEOUT: '1h' },
  });
});
afterAll(() => demo.stop());
afterEach(() => demo.engine.kill('SIGCONT'));

const model = 'demo';
const messagesOf = (content: string) => [{ role: 'user' as const, content }];
const messages = messagesOf('survival');

/** How a client of each API reads one stream to its end, and its keep-alives. */
const clients: Record<
  string,
  { sign: RegExp; read: (topic: string) => { wire: RecordedTraffic; text: Promise<string> } }
> = {
  'chat completions': {
    sign: /^: keep-alive$/gm,
    read(topic) {
      const { openai, wire } = connectOpenAI(demo);
      const stream = openai.chat.completions.stream({ model, messages: messagesOf(topic) });
      return { wire, text: stream.finalContent().then((text) => text ?? '') };
    },
  },
  Responses: {
    sign: /^data: \{"type":"response\.(?:in_progress"|output_text\.delta".*"delta":"",)/gm,
    read(topic) {
      const { openai, wire } = connectOpenAI(demo);
      const stream = openai.responses.stream({ model, input: topic });
      return { wire, text: stream.finalResponse().then(({ output_text }) => output_text) };
    },
  },
  Messages: {
    sign: /^event: ping\ndata: \{"type":"ping"\}$/gm,
    read(topic) {
      const { anthropic, wire } = connectAnthropic();
      const stream = anthropic.messages.stream({ model, max_tokens: 8000, messages: messagesOf(topic) });
      return { wire, text: stream.finalText() };
    },
  },
};

function connectAnthropic(baseURL = demo.corral.origin) {
  const wire = recordTraffic();
  onTestFinished(() => expect(wire.violations).toEqual([]));
  return {
    anthropic: new Anthropic({ baseURL, apiKey: demo.apiKey, fetch: wire.fetch, maxRetries: 0 }),
    wire,
  };
}

describe.each(Object.entries(clients))('a client of %s', (_, { sign, read }) => {
  const signsIn = ({ responses }: RecordedTraffic) => responses[0]?.text.match(sign)?.length ?? 0;

  it('gets keep-alives before the first event, and the complete text', async () => {
    demo.engine.kill('SIGSTOP');
    const { wire, text } = read('survival');
    await waitFor('three signs', () => signsIn(wire) >= 3);
    demo.engine.kill('SIGCONT');
    expect(await text).toBe(storyText('survival'));
    expectInOrder(wire);
  });

  it('gets keep-alives in the middle of a completion, which is complete all the same', async () => {
    // A short completion may be over before it can be paused in the middle.
    const { wire, text } = read('long story');
    await waitFor('some deltas', () => (wire.responses[0]?.text.match(/delta/g)?.length ?? 0) > 3);
    demo.engine.kill('SIGSTOP');
    const before = signsIn(wire);
    await waitFor('three signs', () => signsIn(wire) >= before + 3);
    demo.engine.kill('SIGCONT');
    expect(await text).toBe(storyText('long story'));
    expectInOrder(wire);
  });
});

/** A Responses stream has one beginning, one id, and numbers for all events. */
function expectInOrder({ events }: RecordedTraffic): void {
  const typed = events as { type?: string; sequence_number?: number; response?: { id: string } }[];
  if (typed[0]?.sequence_number === undefined) return;
  expect(typed.map(({ sequence_number }) => sequence_number)).toEqual(typed.map((_, n) => n));
  expect(typed.filter(({ type }) => type === 'response.created')).toHaveLength(1);
  const ids = typed.flatMap(({ response }) => (response ? [response.id] : []));
  expect(new Set(ids).size).toBe(1);
}

describe('an error after an early header', () => {
  const line = { STREAM_HEADERS_AFTER: '50ms', STREAM_KEEPALIVE: '1h', QUEUE_TIMEOUT: '300ms' };
  const lane = { id: 'another', weight: 2, maxConcurrent: Infinity };
  /** A gateway whose only slot is busy until this is disposed. */
  async function fullGateway() {
    const stack = new AsyncDisposableStack();
    const corral = stack.use(await startTestGateway({ backend: demo.engine.backend, env: line }));
    const claim = { lane, slots: 1, signal: new AbortController().signal };
    const held = await corral.gateway.scheduler.admit(claim);
    if (held.outcome !== 'granted') throw new Error('the slot is taken');
    stack.use(held.lease);
    return { stack, corral, ...connectOpenAI({ baseURL: `${corral.origin}/v1`, apiKey: corral.secret }) };
  }
  const errorOf = (response: PromiseLike<unknown>) =>
    response.then(
      () => undefined,
      (error: unknown) => error,
    );

  it('is an APIError with its code in each SDK, and a response that was created and failed', async () => {
    const { stack, corral, openai, wire } = await fullGateway();
    await using _ = stack;
    const chat = await errorOf(openai.chat.completions.stream({ model, messages }).finalMessage());
    expect(chat).toBeInstanceOf(APIError);
    expect(chat).toMatchObject({ code: 'queue_timeout', type: 'server_error' });
    const response = await errorOf(openai.responses.stream({ model, input: 'hello' }).finalResponse());
    expect(response).toBeInstanceOf(APIError);
    expect(response).toMatchObject({ code: 'queue_timeout' });
    const types = ['response.created', 'response.in_progress', 'response.failed', 'error'];
    expect(wire.events.map((event) => (event as { type: string }).type)).toEqual(types);
    expectInOrder(wire);
    expect(wire.last.text).toMatch(/^: queued 1 of 1\n\nevent: response\.created\n/);
    const { anthropic, wire: recorded } = connectAnthropic(corral.origin);
    const message = await errorOf(
      anthropic.messages.stream({ model, max_tokens: 9, messages }).finalMessage(),
    );
    expect(message).toBeInstanceOf(AnthropicError);
    expect(message).toMatchObject({ error: { type: 'error', error: { type: 'overloaded_error' } } });
    expect(recorded.last.text).toMatch(/^: queued 1 of 1\n\nevent: ping\n/);
  });

  it('reports a prompt that is too long in the format of the API', async () => {
    // So few bytes for so many tokens: only the engine can count them.
    const prompt = 'x'.repeat(9000);
    const long = [{ role: 'user' as const, content: prompt }];
    const { openai, wire } = connectOpenAI(demo);
    const { anthropic } = connectAnthropic();
    demo.engine.kill('SIGSTOP');
    const chat = errorOf(openai.chat.completions.stream({ model, messages: long }).finalMessage());
    const response = errorOf(openai.responses.stream({ model, input: prompt }).finalResponse());
    const message = errorOf(
      anthropic.messages.stream({ model, max_tokens: 9, messages: long }).finalMessage(),
    );
    await waitFor('both heads', () => wire.responses.length === 2);
    demo.engine.kill('SIGCONT');
    for (const error of [await chat, await response]) {
      expect(error).toMatchObject({ code: 'context_length_exceeded' });
      expect((error as Error).message).toMatch(/request \(\d+ tokens\) exceeds the available context size/);
    }
    expect(await message).toMatchObject({
      error: { error: { message: expect.stringMatching(/^prompt is too long: \d+ tokens > 8192 maximum$/) } },
    });
  });
});

it('with keep-alives off, an early header comes without one', async () => {
  await using corral = await startTestGateway({
    backend: demo.engine.backend,
    env: { STREAM_HEADERS_AFTER: '50ms', STREAM_KEEPALIVE: '0' },
  });
  for (const [path, body] of [
    ['/v1/chat/completions', { messages }],
    ['/v1/messages', { messages, max_tokens: 9 }],
    ['/v1/responses', { input: 'keys', max_output_tokens: 9 }],
  ] as const) {
    demo.engine.kill('SIGSTOP');
    await using client = await RawClient.connect(corral.port);
    client.send(postOf({ model, stream: true, ...body }, { path, secret: corral.secret }));
    await client.receives('\r\n\r\n');
    expect(client.text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(client.text).toContain('cache-control: no-cache, no-transform\r\n');
    expect(client.text.split('\r\n\r\n')[1]).toBe('');
    demo.engine.kill('SIGCONT');
    const response = (await client.response())?.body ?? '';
    expect(response).not.toMatch(/^:|^event: ping$/m);
    expect(response.match(/"type":"response\.in_progress"/g)?.length ?? 0).toBeLessThanOrEqual(1);
  }
});
