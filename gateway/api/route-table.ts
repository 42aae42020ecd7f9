import type { Scope } from '../../keys/key.ts';

/** The format of a route's errors, and of the end of its streams. */
export type Dialect = 'openai' | 'responses' | 'anthropic' | 'native';

/** The shapes of a completion: one for each API that streams. */
export type CompletionShape = 'chat' | 'completion' | 'response' | 'message';

/** The field of a route that may hold several inputs. llama-server decodes each of them as a sequence of its own. */
export type InputsField = 'prompt' | 'input' | 'documents';

/** One route of the backend that clients may reach. Its upstream path is fixed here and never taken from the client. */
export interface ApiRoute {
  readonly paths: readonly string[];
  readonly upstream: string;
  readonly dialect: Dialect;
  readonly scope: Scope;
  /** Whether the backend decodes for it; counting and tokenizing need no slot. */
  readonly takesSlot: boolean;
  /** Whether the decoded tokens are returned as text, and so count as output. */
  readonly generates: boolean;
  /**
   * Whether the one required field is a list of messages. Without it llama-server serves /v1/messages all the same, or responds
   * with 500.
   */
  readonly requiresMessages: boolean;
  readonly body: 'json' | 'json or form';
  /** The shape to which its streams are aggregated for a client that does not stream; undefined where it has no such streams. */
  readonly shape: CompletionShape | undefined;
  readonly inputsField: InputsField | undefined;
  /** The path at which the backend counts the input of such a request without serving it; undefined where there is none. */
  readonly countPath: string | undefined;
}

/** `/v1` is optional for clients. The upstream path keeps it: without it llama-server uses its native format on some routes. */
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

/** All routes that reach the backend; the gateway itself responds to everything else (app.ts). All are POST. */
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

/** The route of a request that was converted to a chat: the client sees its own route, the backend that of chats. */
export function toChatRoute(route: ApiRoute): ApiRoute {
  const chat = apiRoutes.find(({ shape }) => shape === 'chat');
  return chat ? { ...chat, paths: route.paths, dialect: route.dialect } : route;
}

/** `gen_ai.operation.name`: names of OpenTelemetry's conventions, or similar ones where they have none. */
export type Operation = 'chat' | 'text_completion' | 'embeddings' | 'rerank' | 'transcription';

const operations: Readonly<Record<string, Operation>> = {
  '/v1/chat/completions': 'chat',
  '/v1/responses': 'chat',
  '/v1/messages': 'chat',
  '/v1/completions': 'text_completion',
  '/completion': 'text_completion',
  '/infill': 'text_completion',
  '/v1/embeddings': 'embeddings',
  '/v1/rerank': 'rerank',
  '/v1/audio/transcriptions': 'transcription',
};

/** By the first path of a route; undefined for routes that do not run the model. */
export function getOperation(route: string): Operation | undefined {
  return operations[route];
}

/** Routes of ours that may be called without `/v1`. */
const ownRoutes = [
  ...['/models', '/models/:id', '/files', '/files/:id', '/files/:id/content'],
  ...['/batches', '/batches/:id', '/batches/:id/cancel'],
  ...['/responses/:id', '/responses/:id/input_items', '/responses/:id/cancel'],
  ...['/conversations', '/conversations/:id', '/conversations/:id/items', '/conversations/:id/items/:item'],
].map((path) => ({ paths: [`/v1${path}`, path] }));

/** Each path and the first path of its route. */
const firstPaths = new Map(
  [...apiRoutes, ...ownRoutes].flatMap(({ paths }) => paths.map((path) => [path, paths[0] ?? path])),
);

/** The label of a route, from the pattern that matched; `other` if none did. */
export function routeLabel(pattern: string): string {
  if (pattern === '' || pattern === '*' || pattern === '/*') return 'other';
  const known = firstPaths.get(pattern);
  if (known !== undefined) return known;
  const plain = pattern.replace(/\{.*\}$/, '');
  return firstPaths.get(plain) ?? plain;
}
