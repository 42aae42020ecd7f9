import type { Scope } from '../../keys/key.ts';
import type { CompletionShape } from './aggregate/aggregator.ts';
import type { InputsField } from './request-inputs.ts';

/** In whose words a route speaks: its errors are shown, and its streams end, accordingly. */
export type Dialect = 'openai' | 'responses' | 'anthropic' | 'native';

/** One route of the backend that clients may reach. The upstream path is ours, never the client's. */
export interface ApiRoute {
  readonly paths: readonly string[];
  readonly upstream: string;
  readonly dialect: Dialect;
  readonly scope: Scope;
  /** Whether the backend decodes for it; counting and tokenizing need no slot. */
  readonly takesSlot: boolean;
  /** Whether what it decodes comes back as text, and so costs tokens of output. */
  readonly generates: boolean;
  /** Whether its one needed field is a list of messages: llama-server serves /v1/messages without, or answers 500. */
  readonly requiresMessages: boolean;
  readonly body: 'json' | 'json or form';
  /** In which shape its streams are put together for a client that wants one piece; undefined where it has no streams of such a kind. */
  readonly shape: CompletionShape | undefined;
  /** Which field may hold several inputs, each of which is decoded for itself. */
  readonly inputsField: InputsField | undefined;
  /** Where the backend counts the input of such a request without serving it; undefined where it cannot. */
  readonly countPath: string | undefined;
}

/** `/v1` may be left out. The upstream path keeps it: without it llama-server speaks its native shapes on some. */
function openai(path: string, rest: Partial<ApiRoute> = {}): ApiRoute {
  return {
    paths: [`/v1${path}`, path],
    upstream: `/v1${path}`,
    dialect: 'openai',
    scope: 'inference',
    takesSlot: true,
    generates: true,
    requiresMessages: false,
    body: 'json',
    countPath: undefined,
    inputsField: undefined,
    shape: undefined,
    ...rest,
  };
}

function native(path: string, takesSlot: boolean): ApiRoute {
  return {
    paths: [path],
    upstream: path,
    dialect: 'native',
    scope: 'native',
    takesSlot,
    generates: takesSlot,
    requiresMessages: path === '/apply-template',
    body: 'json',
    countPath: path === '/completion' ? '/tokenize' : undefined,
    inputsField: path === '/completion' ? 'prompt' : undefined,
    shape: undefined,
  };
}

/** Everything that reaches the backend, and nothing else does (contract.md, "API"). All are POST. */
export const apiRoutes: readonly ApiRoute[] = [
  openai('/chat/completions', {
    shape: 'chat',
    requiresMessages: true,
    countPath: '/v1/chat/completions/input_tokens',
  }),
  openai('/chat/completions/input_tokens', { takesSlot: false, requiresMessages: true }),
  openai('/completions', { shape: 'completion', countPath: '/tokenize', inputsField: 'prompt' }),
  openai('/embeddings', { generates: false, countPath: '/tokenize', inputsField: 'input' }),
  openai('/rerank', { generates: false, countPath: '/tokenize', inputsField: 'documents' }),
  openai('/responses', { dialect: 'responses', shape: 'response', countPath: '/v1/responses/input_tokens' }),
  openai('/responses/input_tokens', { takesSlot: false }),
  openai('/audio/transcriptions', { body: 'json or form' }),
  openai('/messages', {
    paths: ['/v1/messages'],
    dialect: 'anthropic',
    shape: 'message',
    requiresMessages: true,
    countPath: '/v1/messages/count_tokens',
  }),
  openai('/messages/count_tokens', {
    paths: ['/v1/messages/count_tokens'],
    dialect: 'anthropic',
    takesSlot: false,
    requiresMessages: true,
  }),
  native('/completion', true),
  native('/infill', true),
  native('/tokenize', false),
  native('/detokenize', false),
  native('/apply-template', false),
];

/** Of a request that was worded as a chat: the client is spoken to as its own route has it, the backend as that of chats. */
export function toChatRoute(route: ApiRoute): ApiRoute {
  const chat = apiRoutes.find(({ shape }) => shape === 'chat');
  return chat ? { ...chat, paths: route.paths, dialect: route.dialect } : route;
}
