import { type ApiRoute, apiRoutes } from '../../gateway/api/route-table.ts';
import { errorGroups } from './error-examples.ts';
import type { NamedSchema, Operation, ResponseSpec } from './operation.ts';
import { anthropicEvent, anthropicMessage, anthropicTokenCount } from './shapes/anthropic.ts';
import * as native from './shapes/llama-server.ts';
import {
  chatCompletion,
  chatCompletionChunk,
  embeddingList,
  textCompletion,
  textCompletionChunk,
} from './shapes/openai.ts';
import * as requests from './shapes/requests.ts';
import { inputTokens, responseEvent, responseObject } from './shapes/responses.ts';

/** The documentation of a route, in addition to its entry in the route table. */
interface RouteText {
  readonly id: string;
  readonly summary: string;
  readonly seeAlso?: string;
  readonly body: NamedSchema;
  /** A body that the demo model can serve. */
  readonly example: object;
  readonly form?: NamedSchema;
  readonly response: NamedSchema;
  readonly event?: NamedSchema;
}

const openai = 'https://platform.openai.com/docs/api-reference';
const anthropic = 'https://docs.claude.com/en/api';
const llamaServer = 'https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md';

const chatRequest = { name: 'ChatRequest', schema: requests.chatRequest };
const responseRequest = { name: 'ResponseRequest', schema: requests.responseRequest };
const messageRequest = { name: 'MessageRequest', schema: requests.messageRequest };
const hello = [{ role: 'user', content: 'Hello' }];
const inputTokenCount = { name: 'InputTokens', schema: inputTokens };

/** By the first path of the route. */
const texts: Readonly<Record<string, RouteText>> = {
  '/v1/chat/completions': {
    ...{ id: 'createChatCompletion', summary: 'Create a chat completion', seeAlso: `${openai}/chat` },
    body: chatRequest,
    example: { messages: hello },
    response: { name: 'ChatCompletion', schema: chatCompletion },
    event: { name: 'ChatCompletionChunk', schema: chatCompletionChunk },
  },
  '/v1/chat/completions/input_tokens': {
    ...{ id: 'countChatTokens', summary: 'Count the tokens of a chat' },
    body: chatRequest,
    example: { messages: hello },
    response: inputTokenCount,
  },
  '/v1/completions': {
    ...{ id: 'createCompletion', summary: 'Create a text completion', seeAlso: `${openai}/completions` },
    body: { name: 'CompletionRequest', schema: requests.completionRequest },
    example: { prompt: 'Hello', max_tokens: 16 },
    response: { name: 'Completion', schema: textCompletion },
    event: { name: 'CompletionChunk', schema: textCompletionChunk },
  },
  '/v1/embeddings': {
    ...{ id: 'createEmbedding', summary: 'Create embeddings', seeAlso: `${openai}/embeddings` },
    body: { name: 'EmbeddingRequest', schema: requests.embeddingRequest },
    example: { input: ['one text', 'another one'] },
    response: { name: 'EmbeddingList', schema: embeddingList },
  },
  '/v1/rerank': {
    ...{ id: 'createRerank', summary: 'Rank documents by their relevance to a query' },
    body: { name: 'RerankRequest', schema: requests.rerankRequest },
    example: { query: 'What is a llama?', documents: ['an animal', 'a planet'] },
    response: { name: 'RerankResult', schema: native.rerankResult },
  },
  '/v1/responses': {
    ...{
      id: 'createResponse',
      summary: 'Create a response; with `STORE=on` it is stored unless it has `store: false`',
      seeAlso: `${openai}/responses`,
    },
    body: responseRequest,
    example: { input: 'Hello' },
    response: { name: 'Response', schema: responseObject },
    event: { name: 'ResponseEvent', schema: responseEvent },
  },
  '/v1/responses/input_tokens': {
    ...{ id: 'countResponseTokens', summary: 'Count the input tokens of a response' },
    body: responseRequest,
    example: { input: 'Hello' },
    response: inputTokenCount,
  },
  '/v1/audio/transcriptions': {
    ...{ id: 'createTranscription', summary: 'Transcribe audio', seeAlso: `${openai}/audio` },
    body: { name: 'TranscriptionRequest', schema: requests.chatRequest.pick({ model: true }) },
    form: { name: 'TranscriptionForm', schema: requests.transcriptionForm },
    example: {},
    response: { name: 'Transcription', schema: native.transcription },
  },
  '/v1/messages': {
    ...{ id: 'createMessage', summary: 'Create a message', seeAlso: `${anthropic}/messages` },
    body: messageRequest,
    example: { messages: hello, max_tokens: 64 },
    response: { name: 'Message', schema: anthropicMessage },
    event: { name: 'MessageEvent', schema: anthropicEvent },
  },
  '/v1/messages/count_tokens': {
    ...{
      id: 'countMessageTokens',
      summary: 'Count the tokens of messages',
      seeAlso: `${anthropic}/messages-count-tokens`,
    },
    body: messageRequest,
    example: { messages: hello },
    response: { name: 'MessageTokens', schema: anthropicTokenCount },
  },
  '/completion': {
    ...{
      id: 'createNativeCompletion',
      summary: "Create a completion in llama-server's own format",
      seeAlso: llamaServer,
    },
    body: { name: 'NativeCompletionRequest', schema: requests.nativeCompletionRequest },
    example: { prompt: 'Hello', n_predict: 16 },
    response: { name: 'NativeCompletion', schema: native.nativeCompletion },
    event: { name: 'NativeCompletion', schema: native.nativeCompletion },
  },
  '/infill': {
    ...{ id: 'createInfill', summary: 'Fill a gap in code', seeAlso: llamaServer },
    body: { name: 'InfillRequest', schema: requests.infillRequest },
    example: { input_prefix: 'def one():', input_suffix: 'return 1' },
    response: { name: 'NativeCompletion', schema: native.nativeCompletion },
    event: { name: 'NativeCompletion', schema: native.nativeCompletion },
  },
  '/tokenize': {
    ...{ id: 'tokenizeText', summary: 'Convert a text to tokens', seeAlso: llamaServer },
    body: { name: 'TokenizeRequest', schema: requests.tokenizeRequest },
    example: { content: 'Hello' },
    response: { name: 'Tokens', schema: native.tokens },
  },
  '/detokenize': {
    ...{ id: 'detokenizeTokens', summary: 'Convert tokens to a text', seeAlso: llamaServer },
    body: { name: 'DetokenizeRequest', schema: requests.detokenizeRequest },
    example: { tokens: [10, 11] },
    response: { name: 'Detokenized', schema: native.detokenized },
  },
  '/apply-template': {
    ...{ id: 'applyChatTemplate', summary: 'Format a chat as a prompt', seeAlso: llamaServer },
    body: { name: 'TemplateRequest', schema: requests.templateRequest },
    example: { messages: hello },
    response: { name: 'AppliedTemplate', schema: native.appliedTemplate },
  },
};

const tags = {
  openai: 'OpenAI',
  responses: 'OpenAI',
  anthropic: 'Anthropic',
  native: 'llama-server',
} as const;

/** The operations that are proxied to the backend. */
export const proxiedOperations: readonly Operation[] = apiRoutes.map(toOperation);

function toOperation(route: ApiRoute): Operation {
  const [path = '', ...alsoAt] = route.paths;
  const text = texts[path];
  if (text === undefined)
    throw new Error(`${path} is not documented: add it to scripts/api-reference/proxied-operations.ts`);
  const { id, summary, seeAlso, body, example, form } = text;
  return {
    ...{ method: 'post', path, alsoAt, id, summary, tag: tags[route.dialect], scope: route.scope },
    ...(seeAlso && { seeAlso }),
    description: describeRoute(route, alsoAt),
    body: { json: body, example, ...(form && { form }) },
    responses: [toResponse(text)],
    errors: path === '/v1/responses' ? errorGroups.responses : errorGroups.proxied,
    style: route.dialect === 'anthropic' ? 'anthropic' : 'engine',
  };
}

function describeRoute({ takesSlot }: ApiRoute, alsoAt: readonly string[]): string {
  const sentences = [
    alsoAt.length > 0 ? `Also at \`${alsoAt.join('`, `')}\`.` : '',
    takesSlot
      ? 'Takes a slot. When all slots are busy, the request waits in the queue of its key.'
      : 'Takes no slot.',
    'Fields that are not listed here are passed to llama-server unchanged, except `id_slot` and `sse_ping_interval`, which are removed.',
  ];
  return sentences.filter((sentence) => sentence !== '').join(' ');
}

function toResponse({ response, event }: RouteText): ResponseSpec {
  const description = event
    ? 'The completion; with `"stream": true`, a stream of its events. A stream that cannot be completed ends with an error event. While the client waits, comment lines (`: keep-alive`) may be sent.'
    : 'The result.';
  return { status: 200, description, json: response, ...(event && { event }) };
}
