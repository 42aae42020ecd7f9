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

/** What there is to say of a route, besides what its entry in the table of routes says. */
interface Words {
  readonly id: string;
  readonly summary: string;
  readonly seeAlso?: string;
  readonly body: NamedSchema;
  /** A body that the demo model answers. */
  readonly example: object;
  readonly form?: NamedSchema;
  readonly answer: NamedSchema;
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
const words: Readonly<Record<string, Words>> = {
  '/v1/chat/completions': {
    ...{ id: 'chat', summary: 'Answer a chat', seeAlso: `${openai}/chat` },
    body: chatRequest,
    example: { messages: hello },
    answer: { name: 'ChatCompletion', schema: chatCompletion },
    event: { name: 'ChatCompletionChunk', schema: chatCompletionChunk },
  },
  '/v1/chat/completions/input_tokens': {
    ...{ id: 'countChatTokens', summary: 'Count the tokens of a chat' },
    body: chatRequest,
    example: { messages: hello },
    answer: inputTokenCount,
  },
  '/v1/completions': {
    ...{ id: 'complete', summary: 'Continue a text', seeAlso: `${openai}/completions` },
    body: { name: 'CompletionRequest', schema: requests.completionRequest },
    example: { prompt: 'Hello', max_tokens: 16 },
    answer: { name: 'Completion', schema: textCompletion },
    event: { name: 'CompletionChunk', schema: textCompletionChunk },
  },
  '/v1/embeddings': {
    ...{ id: 'embed', summary: 'Turn texts into vectors', seeAlso: `${openai}/embeddings` },
    body: { name: 'EmbeddingRequest', schema: requests.embeddingRequest },
    example: { input: ['one text', 'another one'] },
    answer: { name: 'EmbeddingList', schema: embeddingList },
  },
  '/v1/rerank': {
    ...{ id: 'rerank', summary: 'Order documents by what they say on a question' },
    body: { name: 'RerankRequest', schema: requests.rerankRequest },
    example: { query: 'What is a llama?', documents: ['an animal', 'a planet'] },
    answer: { name: 'RerankResult', schema: native.rerankResult },
  },
  '/v1/responses': {
    ...{ id: 'respond', summary: 'Give a response; none is stored', seeAlso: `${openai}/responses` },
    body: responseRequest,
    example: { input: 'Hello' },
    answer: { name: 'Response', schema: responseObject },
    event: { name: 'ResponseEvent', schema: responseEvent },
  },
  '/v1/responses/input_tokens': {
    ...{ id: 'countResponseTokens', summary: 'Count the tokens of the input of a response' },
    body: responseRequest,
    example: { input: 'Hello' },
    answer: inputTokenCount,
  },
  '/v1/audio/transcriptions': {
    ...{ id: 'transcribe', summary: 'Write down what is said', seeAlso: `${openai}/audio` },
    body: { name: 'TranscriptionRequest', schema: requests.chatRequest.pick({ model: true }) },
    form: { name: 'TranscriptionForm', schema: requests.transcriptionForm },
    example: {},
    answer: { name: 'Transcription', schema: native.transcription },
  },
  '/v1/messages': {
    ...{ id: 'message', summary: 'Answer messages', seeAlso: `${anthropic}/messages` },
    body: messageRequest,
    example: { messages: hello, max_tokens: 64 },
    answer: { name: 'Message', schema: anthropicMessage },
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
    answer: { name: 'MessageTokens', schema: anthropicTokenCount },
  },
  '/completion': {
    ...{
      id: 'nativeComplete',
      summary: "Continue a text, in llama-server's own words",
      seeAlso: llamaServer,
    },
    body: { name: 'NativeCompletionRequest', schema: requests.nativeCompletionRequest },
    example: { prompt: 'Hello', n_predict: 16 },
    answer: { name: 'NativeCompletion', schema: native.nativeCompletion },
    event: { name: 'NativeCompletion', schema: native.nativeCompletion },
  },
  '/infill': {
    ...{ id: 'infill', summary: 'Fill a gap in code', seeAlso: llamaServer },
    body: { name: 'InfillRequest', schema: requests.infillRequest },
    example: { input_prefix: 'def one():', input_suffix: 'return 1' },
    answer: { name: 'NativeCompletion', schema: native.nativeCompletion },
    event: { name: 'NativeCompletion', schema: native.nativeCompletion },
  },
  '/tokenize': {
    ...{ id: 'tokenize', summary: 'Cut a text into tokens', seeAlso: llamaServer },
    body: { name: 'TokenizeRequest', schema: requests.tokenizeRequest },
    example: { content: 'Hello' },
    answer: { name: 'Tokens', schema: native.tokens },
  },
  '/detokenize': {
    ...{ id: 'detokenize', summary: 'Make a text of tokens', seeAlso: llamaServer },
    body: { name: 'DetokenizeRequest', schema: requests.detokenizeRequest },
    example: { tokens: [10, 11] },
    answer: { name: 'Detokenized', schema: native.detokenized },
  },
  '/apply-template': {
    ...{ id: 'applyTemplate', summary: 'Show the prompt that a chat becomes', seeAlso: llamaServer },
    body: { name: 'TemplateRequest', schema: requests.templateRequest },
    example: { messages: hello },
    answer: { name: 'AppliedTemplate', schema: native.appliedTemplate },
  },
};

const tags = {
  openai: 'OpenAI',
  responses: 'OpenAI',
  anthropic: 'Anthropic',
  native: 'llama-server',
} as const;

/** Of every route that reaches the backend. */
export const proxiedOperations: readonly Operation[] = apiRoutes.map(operationOf);

function operationOf(route: ApiRoute): Operation {
  const [path = '', ...alsoAt] = route.paths;
  const said = words[path];
  if (said === undefined) throw new Error(`${path} has no words yet: give it some in carried-operations.ts`);
  const { id, summary, seeAlso, body, example, form } = said;
  return {
    ...{ method: 'post', path, alsoAt, id, summary, tag: tags[route.dialect], scope: route.scope },
    ...(seeAlso && { seeAlso }),
    description: descriptionOf(route, alsoAt),
    body: { json: body, example, ...(form && { form }) },
    answers: [answerOf(said)],
    errors: errorGroups.carried,
    manner: route.dialect === 'anthropic' ? 'anthropic' : 'engine',
  };
}

function descriptionOf({ takesSlot }: ApiRoute, alsoAt: readonly string[]): string {
  const sentences = [
    alsoAt.length > 0 ? `Also at \`${alsoAt.join('`, `')}\`.` : '',
    takesSlot ? 'Takes a slot, and waits in the line of its key where none is free.' : 'Takes no slot.',
    'Fields that are not named here go to llama-server as they come, but for `id_slot` and `sse_ping_interval`, which are taken out.',
  ];
  return sentences.filter((sentence) => sentence !== '').join(' ');
}

function answerOf({ answer, event }: Words): ResponseSpec {
  const description = event
    ? 'The answer; with `"stream": true` its events, one after the other. One that cannot be finished ends with an error event, and while it is awaited comment lines (`: keep-alive`) may come.'
    : 'The answer.';
  return { status: 200, description, json: answer, ...(event && { event }) };
}
