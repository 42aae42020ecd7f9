import { z } from 'zod';
import { errorEnvelope } from '../../scripts/api-reference/shapes/admin.ts';
import {
  anthropicError,
  anthropicEvent,
  anthropicMessage,
  anthropicTokenCount,
} from '../../scripts/api-reference/shapes/anthropic.ts';
import {
  conversation,
  conversationItem,
  deletedConversation,
  deletedResponse,
  itemList,
} from '../../scripts/api-reference/shapes/conversations.ts';
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
import {
  inputTokens,
  responseEvent,
  responseObject,
  storedResponse,
} from '../../scripts/api-reference/shapes/responses.ts';
import { splitEvents } from '../../sse/sse.ts';

/** A response as received. */
export interface WireResponse {
  readonly path: string;
  readonly status: number;
  readonly contentType: string;
  readonly requestId: string | null;
  /** The body read so far. */
  readonly text: string;
  /** Whether the body is complete. */
  readonly ended: boolean;
}

interface Shape {
  readonly plain: z.ZodType;
  readonly event?: z.ZodType;
  readonly error: z.ZodType;
  /** The last event of a stream must match this. */
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
  [
    /^\/v1\/responses\/resp_\w+(\/cancel)?$/,
    {
      ...openai,
      plain: z.union([storedResponse, deletedResponse]),
      event: responseEvent,
      lastEvent: /^event: /,
    },
  ],
  [
    /^\/v1\/conversations\/conv_\w+\/items\/\w+$/,
    { ...openai, plain: z.union([conversation, conversationItem]) },
  ],
  [/^\/v1\/(responses|conversations)\/\w+\/(input_)?items$/, { ...openai, plain: itemList }],
  [/^\/v1\/conversations(\/conv_\w+)?$/, { ...openai, plain: z.union([conversation, deletedConversation]) }],
  [/^\/v1\/(responses|chat\/completions)\/input_tokens$/, { ...openai, plain: inputTokens }],
  [/^\/v1\/messages$/, { ...anthropic, plain: anthropicMessage, event: anthropicEvent }],
  [/^\/v1\/messages\/count_tokens$/, { ...anthropic, plain: anthropicTokenCount }],
];

/** Everything in a response that does not match the strict schema of its API. */
export function violations(response: WireResponse): string[] {
  const shape = shapes.find(([path]) => path.test(response.path))?.[1] ?? {
    plain: z.never(),
    error: anyError,
  };
  const found = response.requestId ? [] : ['x-request-id is missing'];
  if (response.contentType.startsWith('text/event-stream')) found.push(...inStream(response, shape));
  else if (!response.contentType.startsWith('application/json'))
    found.push(`content-type is ${response.contentType}`);
  else if (response.ended)
    found.push(...inJson(response.text, response.status < 400 ? shape.plain : shape.error));
  return found.map((what) => `${response.path} ${response.status}: ${what}`);
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

/** An event is a comment or a single `data:` line, with a name if the API names its events. Other fields break the Python SDK. */
function inEvent(block: string, { event, error }: Shape): string[] {
  if (/^:.*$/.test(block) || block === 'data: [DONE]') return [];
  const [, name, data] = /^(?:event: (\S+)\n)?data: (.*)$/.exec(block) ?? [];
  if (data === undefined) return [`invalid event: ${block}`];
  if (name !== undefined && !data.startsWith(`{"type":"${name}"`))
    return [`${name} is not the name of ${data}`];
  return inJson(data, data.startsWith('{"error":') ? error : (event ?? z.never()));
}

function inJson(text: string, schema: z.ZodType): string[] {
  try {
    const { error } = schema.safeParse(JSON.parse(text));
    return error ? [`${z.prettifyError(error)}\nin ${text.slice(0, 500)}`] : [];
  } catch {
    return [`invalid JSON: ${text.slice(0, 500)}`];
  }
}
