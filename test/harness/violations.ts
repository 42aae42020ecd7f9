import { z } from 'zod';
import { errorEnvelope } from '../../scripts/api-reference/shapes/admin.ts';
import {
  anthropicError,
  anthropicEvent,
  anthropicMessage,
  anthropicTokenCount,
} from '../../scripts/api-reference/shapes/anthropic.ts';
import {
  anthropicModel,
  anthropicModelList,
  modelList,
  modelObject,
} from '../../scripts/api-reference/shapes/models.ts';
import {
  chatCompletion,
  chatCompletionChunk,
  embeddingList,
  textCompletion,
  textCompletionChunk,
} from '../../scripts/api-reference/shapes/openai.ts';
import { inputTokens, responseEvent, responseObject } from '../../scripts/api-reference/shapes/responses.ts';
import { splitEvents } from '../../sse/sse.ts';

/** An answer as it came over the wire. */
export interface WireResponse {
  readonly path: string;
  readonly status: number;
  readonly contentType: string;
  readonly requestId: string | null;
  /** The body, as far as it has been read. */
  readonly text: string;
  /** Whether that is all of it. */
  readonly ended: boolean;
}

interface Shape {
  readonly plain: z.ZodType;
  readonly event?: z.ZodType;
  readonly error: z.ZodType;
  /** What the last event of a stream must be. */
  readonly lastEvent?: RegExp;
}

const openai = { error: errorEnvelope, lastEvent: /^data: (\[DONE\]|\{"error":.*\})$/ };
const anthropic = { error: anthropicError, lastEvent: /^event: (message_stop|error)\n/ };

const anyError = z.union([errorEnvelope, anthropicError]);

const shapes: readonly (readonly [RegExp, Shape])[] = [
  [/^\/v1\/chat\/completions$/, { ...openai, plain: chatCompletion, event: chatCompletionChunk }],
  [/^\/v1\/completions$/, { ...openai, plain: textCompletion, event: textCompletionChunk }],
  [/^\/v1\/embeddings$/, { ...openai, plain: embeddingList }],
  [/^\/v1\/models$/, { plain: z.union([modelList, anthropicModelList]), error: anyError }],
  [/^\/v1\/models\/./, { plain: z.union([modelObject, anthropicModel]), error: anyError }],
  [
    /^\/v1\/responses$/,
    {
      ...openai,
      plain: responseObject,
      event: responseEvent,
      lastEvent: /^event: (response\.(completed|incomplete)|error)\n/,
    },
  ],
  [/^\/v1\/(responses|chat\/completions)\/input_tokens$/, { ...openai, plain: inputTokens }],
  [/^\/v1\/messages$/, { ...anthropic, plain: anthropicMessage, event: anthropicEvent }],
  [/^\/v1\/messages\/count_tokens$/, { ...anthropic, plain: anthropicTokenCount }],
];

/** Everything in an answer that the API's own clients have not been promised; empty where all is well. */
export function violations(answer: WireResponse): string[] {
  const shape = shapes.find(([path]) => path.test(answer.path))?.[1] ?? { plain: z.never(), error: anyError };
  const found = answer.requestId ? [] : ['there is no x-request-id'];
  if (answer.contentType.startsWith('text/event-stream')) found.push(...inStream(answer, shape));
  else if (!answer.contentType.startsWith('application/json'))
    found.push(`content-type is ${answer.contentType}`);
  else if (answer.ended) found.push(...inJson(answer.text, answer.status < 400 ? shape.plain : shape.error));
  return found.map((what) => `${answer.path} ${answer.status}: ${what}`);
}

function inStream({ text, status, ended }: WireResponse, shape: Shape): string[] {
  const blocks = splitEvents(text);
  const unfinished = blocks.pop();
  const found = blocks.flatMap((block) => inEvent(block, shape));
  if (status !== 200) found.push('a stream has a status other than 200');
  if (!ended) return found;
  if (unfinished !== '') found.push(`the last event has no end: ${unfinished}`);
  if (!shape.lastEvent?.test(blocks.at(-1) ?? '')) found.push(`the stream ends with ${blocks.at(-1)}`);
  return found;
}

/** A comment, or one `data:` line, named where the API names its events; other fields break the Python SDK. */
function inEvent(block: string, { event, error }: Shape): string[] {
  if (/^:.*$/.test(block) || block === 'data: [DONE]') return [];
  const [, name, data] = /^(?:event: (\S+)\n)?data: (.*)$/.exec(block) ?? [];
  if (data === undefined) return [`this is no event: ${block}`];
  if (name !== undefined && !data.startsWith(`{"type":"${name}"`))
    return [`${name} is not the name of ${data}`];
  return inJson(data, data.startsWith('{"error":') ? error : (event ?? z.never()));
}

function inJson(text: string, schema: z.ZodType): string[] {
  try {
    const { error } = schema.safeParse(JSON.parse(text));
    return error ? [`${z.prettifyError(error)}\nin ${text.slice(0, 500)}`] : [];
  } catch {
    return [`this is no JSON: ${text.slice(0, 500)}`];
  }
}
