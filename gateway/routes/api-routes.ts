import type { Scope } from '../../keys/key.ts';
import type { AnswerShape } from '../openai/assemble/assembly.ts';
import type { BatchField } from '../openai/sequences.ts';

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
  readonly takesMessages: boolean;
  readonly body: 'json' | 'json or form';
  /** In which shape its streams are put together for a client that wants one piece; undefined where it has no streams of such a kind. */
  readonly shape: AnswerShape | undefined;
  /** Which field may hold several inputs, each of which is decoded for itself. */
  readonly batch: BatchField | undefined;
  /** Where the backend counts the input of such a request without serving it; undefined where it cannot. */
  readonly countedAt: string | undefined;
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
    takesMessages: false,
    body: 'json',
    countedAt: undefined,
    batch: undefined,
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
    takesMessages: path === '/apply-template',
    body: 'json',
    countedAt: path === '/completion' ? '/tokenize' : undefined,
    batch: path === '/completion' ? 'prompt' : undefined,
    shape: undefined,
  };
}

/** Everything that reaches the backend, and nothing else does (contract.md, "API"). All are POST. */
export const apiRoutes: readonly ApiRoute[] = [
  openai('/chat/completions', {
    shape: 'chat',
    takesMessages: true,
    countedAt: '/v1/chat/completions/input_tokens',
  }),
  openai('/chat/completions/input_tokens', { takesSlot: false, takesMessages: true }),
  openai('/completions', { shape: 'completion', countedAt: '/tokenize', batch: 'prompt' }),
  openai('/embeddings', { generates: false, countedAt: '/tokenize', batch: 'input' }),
  openai('/rerank', { generates: false, countedAt: '/tokenize', batch: 'documents' }),
  openai('/responses', { dialect: 'responses', shape: 'response', countedAt: '/v1/responses/input_tokens' }),
  openai('/responses/input_tokens', { takesSlot: false }),
  openai('/audio/transcriptions', { body: 'json or form' }),
  openai('/messages', {
    paths: ['/v1/messages'],
    dialect: 'anthropic',
    shape: 'message',
    takesMessages: true,
    countedAt: '/v1/messages/count_tokens',
  }),
  openai('/messages/count_tokens', {
    paths: ['/v1/messages/count_tokens'],
    dialect: 'anthropic',
    takesSlot: false,
    takesMessages: true,
  }),
  native('/completion', true),
  native('/infill', true),
  native('/tokenize', false),
  native('/detokenize', false),
  native('/apply-template', false),
];

/** Of a request that was worded as a chat: the client is spoken to as its own route has it, the backend as that of chats. */
export function servedAsChat(route: ApiRoute): ApiRoute {
  const chat = apiRoutes.find(({ shape }) => shape === 'chat');
  return chat ? { ...chat, paths: route.paths, dialect: route.dialect } : route;
}
