import type { Backend } from '../../health/backend.ts';
import { requestBackend } from '../../health/request-backend.ts';
import { parseEvents, type StreamEvent } from '../../sse/sse.ts';
import { parseBackendError } from '../api/backend-error.ts';
import { continueFields } from './continue-fields.ts';
import type { PrefillBehaviour, PrefillQuery } from './prefill-behaviour.ts';

/** What asking takes at most, ms: some forty tokens are read, on a slow machine too. */
const PATIENCE = 60_000;

/** Long enough that no single token says it. */
const beginning = 'Once upon a time, in a corral far away, there lived';

/** The backend went away, or is not there yet: nothing was learnt, and it may be asked again. */
export class BackendUnreachable extends Error {
  override readonly name = 'BackendAway';
}

/**
 * Learns by two requests of one token each how a backend treats a last message of the assistant; undefined where it does
 * not serve them. Throws BackendAway.
 */
export async function probePrefill(
  backend: Backend,
  question: PrefillQuery,
  ended: AbortSignal,
): Promise<PrefillBehaviour | undefined> {
  const { path, body } = requestOf(question);
  const send = async (fields: object) => {
    // Spaced: tests know the streams of clients, which they count and cut, by `"stream":true`.
    const asked = Buffer.from(JSON.stringify({ ...body, ...fields }, undefined, 1));
    const answer = await requestBackend(backend, { path, body: asked, timeoutMs: PATIENCE, signal: ended });
    if (answer.outcome !== 'answered' || isAway(answer.status, answer.body))
      throw new BackendUnreachable('the backend went away when it was asked how it continues an answer');
    return answer.status === 200 ? answer.body : undefined;
  };
  const stream = await send({ stream: true });
  const piece = stream && (await send({}));
  if (stream === undefined || piece === undefined) return undefined;
  const { streamed, whole } = readers[question.api];
  try {
    const streamRepeats = parseEvents(stream).map(streamed).join('').startsWith(beginning);
    const pieceRepeats = whole(JSON.parse(piece)).startsWith(beginning);
    return { continues: streamRepeats || pieceRepeats, streamRepeats, jsonRepeats: pieceRepeats };
  } catch {
    return undefined;
  }
}

/** It loads or has failed, or the router before it has lost it, which that says behind what it had begun to pass on, too. */
const isAway = (status: number, body: string) =>
  body.includes('proxy error: ') || (status >= 500 && parseBackendError(status, body).status >= 500);

function requestOf({ api, isExplicit, model }: PrefillQuery): { path: string; body: object } {
  const more = {
    temperature: 0,
    ...(isExplicit ? continueFields : {}),
    ...(model === undefined ? {} : { model }),
  };
  const messages = [
    { role: 'user', content: 'Tell me a story.' },
    { role: 'assistant', content: beginning },
  ];
  if (api !== 'response') {
    const path = api === 'chat' ? '/v1/chat/completions' : '/v1/messages';
    return { path, body: { messages, max_tokens: 1, ...more } };
  }
  const input = messages.map((message) => ({ type: 'message', ...message }));
  return { path: '/v1/responses', body: { input, max_output_tokens: 1, ...more } };
}

interface Reader {
  /** What an event of the stream says. */
  readonly streamed: (event: StreamEvent) => string;
  /** What the answer in one piece says; throws where it is of another shape. */
  readonly whole: (answer: unknown) => string;
}

interface Message {
  readonly content?: string | null;
}

interface Part {
  readonly text?: string;
}

interface Item {
  readonly content?: readonly Part[];
}

const readers: Readonly<Record<PrefillQuery['api'], Reader>> = {
  chat: {
    streamed: ({ choices }) => (choices as { delta?: Message }[] | undefined)?.[0]?.delta?.content ?? '',
    whole: (answer) => (answer as { choices: { message: Message }[] }).choices[0]?.message.content ?? '',
  },
  message: {
    streamed: ({ delta }) => (delta as Part | undefined)?.text ?? '',
    whole: (answer) => (answer as { content: Part[] }).content.map(({ text = '' }) => text).join(''),
  },
  response: {
    streamed: ({ type, delta }) => (type === 'response.output_text.delta' ? String(delta) : ''),
    whole: (answer) =>
      (answer as { output: Item[] }).output
        .flatMap(({ content = [] }) => content)
        .map(({ text = '' }) => text)
        .join(''),
  },
};
