import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import type { StreamEvent } from '../../../sse/sse.ts';
import { type CuttingBackend, startCuttingBackend } from '../../fakes/start-cutting-backend.ts';
import { requestEvents } from '../../harness/request-events.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { withLine } from '../../harness/with-line.ts';
import { type LlamaServer, startLlamaServer } from '../../services/start-llama-server.ts';

let llama: LlamaServer;
let wire: CuttingBackend;
let corral: TestGateway;

async function start(args: readonly string[], options: Partial<CuttingBackend> = {}): Promise<void> {
  llama = await startLlamaServer({ slots: 4, args });
  wire = Object.assign(await startCuttingBackend(llama), options);
  corral = await startTestGateway({ backend: wire.backend });
}
async function stop(): Promise<void> {
  await corral.stop();
  await wire.stop();
  await llama.stop();
}

const beginning = 'A 🐎 gallops';
const story = storyText('emoji');
const prefill = story.slice(0, story.indexOf(' ', 12));

interface Api {
  readonly path: string;
  readonly bodyOf: (beginning?: string) => object;
  readonly readEvent: (event: StreamEvent) => string;
  readonly readJson: (json: unknown) => string;
  /** Whether a JSON response of this API includes the prefill. */
  readonly includesPrefill: boolean;
}

const messages = (text?: string) => [
  { role: 'user', content: 'emoji' },
  ...(text === undefined ? [] : [{ role: 'assistant', content: text }]),
];

const apis: readonly Api[] = [
  {
    path: '/v1/chat/completions',
    bodyOf: (text) => ({ messages: messages(text) }),
    readEvent: ({ choices }) => (choices as { delta: { content?: string } }[])[0]?.delta.content ?? '',
    readJson: (json) =>
      (json as { choices: { message: { content: string } }[] }).choices[0]?.message.content ?? '',
    includesPrefill: true,
  },
  {
    path: '/v1/messages',
    bodyOf: (text) => ({ messages: messages(text), max_tokens: 400 }),
    readEvent: ({ delta }) => (delta as { text?: string } | undefined)?.text ?? '',
    readJson: (json) => (json as { content: { text: string }[] }).content.map(({ text }) => text).join(''),
    includesPrefill: false,
  },
  {
    path: '/v1/responses',
    bodyOf: (text) => ({ input: messages(text).map((message) => ({ type: 'message', ...message })) }),
    readEvent: ({ type, delta }) => (type === 'response.output_text.delta' ? String(delta) : ''),
    readJson: (json) =>
      (json as { output: { content: { text: string }[] }[] }).output
        .flatMap(({ content }) => content.map(({ text }) => text))
        .join(''),
    includesPrefill: true,
  },
];

async function requestJson(path: string, body: object): Promise<unknown> {
  const response = await fetch(`${corral.origin}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${corral.secret}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
  return response.json();
}

const stream = (path: string, body: object) => withLine(corral, () => requestEvents(corral.port, path, body));
const requestJsonWithLine = (path: string, body: object) => withLine(corral, () => requestJson(path, body));

const builds = [
  ['that returns only the new text', { prefillPieces: 0, ignoresContinueFields: false }],
  ['that repeats the prefill unless a field forbids it', { prefillPieces: 1, ignoresContinueFields: false }],
  [
    'that repeats the prefill in several pieces, whatever the fields say',
    { prefillPieces: 5, ignoresContinueFields: true },
  ],
] as const;

describe.each(builds)('a build %s', (_, options) => {
  beforeAll(() => start([], options));
  afterAll(stop);
  afterEach(() => {
    wire.cuts = [];
  });

  it('is not probed before a request needs to know its behaviour', async () => {
    await requestJsonWithLine('/v1/chat/completions', { messages: messages(), max_tokens: 40 });
    await stream('/v1/messages', { messages: messages(), max_tokens: 40 });
    expect(wire.probes).toEqual([]);
  });

  it.each(apis)(
    '$path: a stream and a JSON response continue',
    async ({ path, bodyOf, readEvent, readJson }) => {
      wire.cuts = [9, 5, 4];
      const [{ events }, line] = await stream(path, bodyOf());
      expect(events.map(readEvent).join('')).toBe(story);
      expect(line).toMatchObject({ status: 200, continued: 3 });
      wire.cuts = [9, 5, 4];
      const [json, second] = await requestJsonWithLine(path, bodyOf());
      expect(readJson(json)).toBe(story);
      expect(second).toMatchObject({ status: 200, continued: 3 });
    },
  );

  it.each(apis)(
    '$path: a stream and a JSON response with a prefill of the client continue',
    async ({ path, bodyOf, readEvent, readJson, ...api }) => {
      for (const cuts of [[], [9, 6]]) {
        wire.cuts = [...cuts];
        const [{ events }] = await stream(path, bodyOf(prefill));
        expect(events.map(readEvent).join('')).toBe(story.slice(prefill.length));
        wire.cuts = [...cuts];
        const [json] = await requestJsonWithLine(path, bodyOf(prefill));
        expect(readJson(json)).toBe(api.includesPrefill ? story : story.slice(prefill.length));
      }
    },
  );

  it.each(apis)(
    '$path: a short JSON response includes the prefill if its API does',
    async ({ path, bodyOf, readJson, ...api }) => {
      const [json] = await requestJsonWithLine(path, {
        ...bodyOf(prefill),
        max_tokens: 3,
        max_output_tokens: 3,
      });
      expect(story.startsWith(api.includesPrefill ? readJson(json) : prefill + readJson(json))).toBe(true);
      expect(readJson(json).startsWith(prefill)).toBe(api.includesPrefill);
    },
  );

  it('a chat with echo contains the prefill once', async () => {
    const [chat] = apis as [Api];
    for (const cuts of [[], [9, 6]]) {
      wire.cuts = [...cuts];
      const [{ events }] = await stream(chat.path, { ...chat.bodyOf(), echo: true });
      expect(events.map(chat.readEvent).join('')).toBe(story);
      for (const max_tokens of [3, 400]) {
        wire.cuts = [...cuts];
        const [json] = await requestJsonWithLine(chat.path, {
          ...chat.bodyOf(prefill),
          echo: true,
          max_tokens,
        });
        expect(story.startsWith(chat.readJson(json))).toBe(true);
        expect(chat.readJson(json).startsWith(prefill)).toBe(true);
      }
    }
  });
});

describe('a build that does not serve the probe', () => {
  beforeAll(() => start([], { rejectedProbes: new Set(apis.map(({ path }) => path)) }));
  afterAll(stop);

  it.each(apis)(
    '$path: a stream repeats no text and is not continued',
    async ({ path, bodyOf, readEvent, readJson }) => {
      wire.cuts = [9];
      const [{ events, text }, line] = await stream(path, bodyOf());
      const received = events
        .map((event) => ('error' in event || event.type === 'error' ? '' : readEvent(event)))
        .join('');
      expect(story.startsWith(received)).toBe(true);
      expect(text).toContain('which cannot be continued: it is unknown how this llama-server');
      expect(line).toMatchObject({ error: 'bad_gateway' });
      wire.cuts = [9];
      const [json, second] = await requestJsonWithLine(path, bodyOf());
      expect(readJson(json)).toBe(story);
      expect(second).toMatchObject({ retries: 1 });
    },
  );
});

describe('an engine that was started with --no-prefill-assistant', () => {
  beforeAll(() => start(['--no-prefill-assistant']));
  afterAll(stop);

  it.each(apis)(
    '$path: a stream continues if its API has a field for it, and otherwise ends with the reason',
    async ({ path, bodyOf, readEvent, readJson }) => {
      wire.cuts = [9, 5];
      const [{ events, text }, line] = await stream(path, bodyOf());
      if (path === '/v1/messages') {
        expect(text).toContain('which cannot be continued: this llama-server begins a new response');
        expect(line).toMatchObject({ error: 'bad_gateway' });
      } else expect(events.map(readEvent).join('')).toBe(story);
      wire.cuts = [9];
      expect(readJson((await requestJsonWithLine(path, bodyOf()))[0])).toBe(story);
    },
  );

  it.each(apis)('$path: a JSON response does not include the prefill', async ({ path, bodyOf, readJson }) => {
    const [json] = await requestJsonWithLine(path, bodyOf(beginning));
    expect(readJson(json)).not.toContain(beginning);
  });
});
