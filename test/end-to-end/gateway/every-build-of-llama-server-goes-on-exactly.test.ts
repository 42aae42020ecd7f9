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

async function open(args: readonly string[], wishes: Partial<CuttingBackend> = {}): Promise<void> {
  llama = await startLlamaServer({ slots: 4, args });
  wire = Object.assign(await startCuttingBackend(llama), wishes);
  corral = await startTestGateway({ backend: wire.backend });
}
async function close(): Promise<void> {
  await corral.stop();
  await wire.stop();
  await llama.stop();
}

const beginning = 'A 🐎 gallops';
const story = storyText('emoji');
const begun = story.slice(0, story.indexOf(' ', 12));

interface Api {
  readonly path: string;
  readonly ask: (beginning?: string) => object;
  readonly streamed: (event: StreamEvent) => string;
  readonly whole: (answer: unknown) => string;
  /** Whether an answer in one piece tells its beginning, as this API has it. */
  readonly tellsBeginning: boolean;
}

const messages = (text?: string) => [
  { role: 'user', content: 'emoji' },
  ...(text === undefined ? [] : [{ role: 'assistant', content: text }]),
];

const apis: readonly Api[] = [
  {
    path: '/v1/chat/completions',
    ask: (text) => ({ messages: messages(text) }),
    streamed: ({ choices }) => (choices as { delta: { content?: string } }[])[0]?.delta.content ?? '',
    whole: (answer) =>
      (answer as { choices: { message: { content: string } }[] }).choices[0]?.message.content ?? '',
    tellsBeginning: true,
  },
  {
    path: '/v1/messages',
    ask: (text) => ({ messages: messages(text), max_tokens: 400 }),
    streamed: ({ delta }) => (delta as { text?: string } | undefined)?.text ?? '',
    whole: (answer) => (answer as { content: { text: string }[] }).content.map(({ text }) => text).join(''),
    tellsBeginning: false,
  },
  {
    path: '/v1/responses',
    ask: (text) => ({ input: messages(text).map((message) => ({ type: 'message', ...message })) }),
    streamed: ({ type, delta }) => (type === 'response.output_text.delta' ? String(delta) : ''),
    whole: (answer) =>
      (answer as { output: { content: { text: string }[] }[] }).output
        .flatMap(({ content }) => content.map(({ text }) => text))
        .join(''),
    tellsBeginning: true,
  },
];

async function inOnePiece(path: string, body: object): Promise<unknown> {
  const answer = await fetch(`${corral.origin}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${corral.secret}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(200);
  return answer.json();
}

const stream = (path: string, body: object) => withLine(corral, () => requestEvents(corral.port, path, body));
const piece = (path: string, body: object) => withLine(corral, () => inOnePiece(path, body));

const builds = [
  ['of today', { echoes: 0, heedsNobody: false }],
  ['that tells the beginning again, unless it is told otherwise', { echoes: 1, heedsNobody: false }],
  ['that tells it again in several pieces, whatever it is told', { echoes: 5, heedsNobody: true }],
] as const;

describe.each(builds)('a build %s', (_, { echoes, heedsNobody }) => {
  beforeAll(() => open([], { echoes, heedsNobody }));
  afterAll(close);
  afterEach(() => {
    wire.cuts = [];
  });

  it('is not asked how it goes on before somebody needs to know', async () => {
    await piece('/v1/chat/completions', { messages: messages(), max_tokens: 40 });
    await stream('/v1/messages', { messages: messages(), max_tokens: 40 });
    expect(wire.questions).toEqual([]);
  });

  it.each(apis)(
    '$path: a stream and an answer in one piece go on',
    async ({ path, ask, streamed, whole }) => {
      wire.cuts = [9, 5, 4];
      const [{ events }, line] = await stream(path, ask());
      expect(events.map(streamed).join('')).toBe(story);
      expect(line).toMatchObject({ status: 200, continued: 3 });
      wire.cuts = [9, 5, 4];
      const [answer, second] = await piece(path, ask());
      expect(whole(answer)).toBe(story);
      expect(second).toMatchObject({ status: 200, continued: 3 });
    },
  );

  it.each(apis)(
    '$path: so does what the client itself began',
    async ({ path, ask, streamed, whole, ...api }) => {
      for (const cuts of [[], [9, 6]]) {
        wire.cuts = [...cuts];
        const [{ events }] = await stream(path, ask(begun));
        expect(events.map(streamed).join('')).toBe(story.slice(begun.length));
        wire.cuts = [...cuts];
        const [answer] = await piece(path, ask(begun));
        expect(whole(answer)).toBe(api.tellsBeginning ? story : story.slice(begun.length));
      }
    },
  );

  it.each(apis)(
    '$path: a short answer tells its beginning as its API has it',
    async ({ path, ask, whole, ...api }) => {
      const [answer] = await piece(path, { ...ask(begun), max_tokens: 3, max_output_tokens: 3 });
      expect(story.startsWith(api.tellsBeginning ? whole(answer) : begun + whole(answer))).toBe(true);
      expect(whole(answer).startsWith(begun)).toBe(api.tellsBeginning);
    },
  );

  it('a chat whose client wants the beginning again has it once', async () => {
    const [chat] = apis as [Api];
    for (const cuts of [[], [9, 6]]) {
      wire.cuts = [...cuts];
      const [{ events }] = await stream(chat.path, { ...chat.ask(), echo: true });
      expect(events.map(chat.streamed).join('')).toBe(story);
      for (const max_tokens of [3, 400]) {
        wire.cuts = [...cuts];
        const [answer] = await piece(chat.path, { ...chat.ask(begun), echo: true, max_tokens });
        expect(story.startsWith(chat.whole(answer))).toBe(true);
        expect(chat.whole(answer).startsWith(begun)).toBe(true);
      }
    }
  });
});

describe('a build that cannot be asked', () => {
  beforeAll(() => open([], { refuses: new Set(apis.map(({ path }) => path)) }));
  afterAll(close);

  it.each(apis)(
    '$path: tells nothing twice, and is not gone on with',
    async ({ path, ask, streamed, whole }) => {
      wire.cuts = [9];
      const [{ events, text }, line] = await stream(path, ask());
      const said = events
        .map((event) => ('error' in event || event.type === 'error' ? '' : streamed(event)))
        .join('');
      expect(story.startsWith(said)).toBe(true);
      expect(text).toContain('which cannot be continued: it is unknown how this llama-server');
      expect(line).toMatchObject({ error: 'bad_gateway' });
      wire.cuts = [9];
      const [answer, second] = await piece(path, ask());
      expect(whole(answer)).toBe(story);
      expect(second).toMatchObject({ retries: 1 });
    },
  );
});

describe('an engine that was started with --no-prefill-assistant', () => {
  beforeAll(() => open(['--no-prefill-assistant']));
  afterAll(close);

  it.each(apis)(
    '$path: goes on where its API lets it be told to, and else says why not',
    async ({ path, ask, streamed, whole }) => {
      wire.cuts = [9, 5];
      const [{ events, text }, line] = await stream(path, ask());
      if (path === '/v1/messages') {
        expect(text).toContain('which cannot be continued: this llama-server begins a new response');
        expect(line).toMatchObject({ error: 'bad_gateway' });
      } else expect(events.map(streamed).join('')).toBe(story);
      wire.cuts = [9];
      expect(whole((await piece(path, ask()))[0])).toBe(story);
    },
  );

  it.each(apis)(
    '$path: an answer in one piece has no beginning that it did not write',
    async ({ path, ask, whole }) => {
      const [answer] = await piece(path, ask(beginning));
      expect(whole(answer)).not.toContain(beginning);
    },
  );
});
