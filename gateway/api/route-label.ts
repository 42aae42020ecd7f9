import { apiRoutes } from './route-table.ts';

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

/** Each path and the first path of its route. */
const firstPaths = new Map(
  [...apiRoutes, { paths: ['/v1/models', '/models'] }, { paths: ['/v1/models/:id', '/models/:id'] }].flatMap(
    ({ paths }) => paths.map((path) => [path, paths[0] ?? path]),
  ),
);

/** The label of a route, from the pattern that matched; `other` if none did. */
export function routeLabel(pattern: string): string {
  if (pattern === '' || pattern === '*' || pattern === '/*') return 'other';
  const plain = pattern.replace(/\{.*\}$/, '');
  return firstPaths.get(plain) ?? plain;
}
