import type { IncomingHttpHeaders } from 'node:http';
import type { JsonObject } from '../../json/json-object.ts';
import type { ApiRoute } from '../api/route-table.ts';
import { rejectRemoteMedia } from '../api/validate/media.ts';
import { ApiError } from '../errors/api-error.ts';

/** What a request lets the cache do. `refresh`: the response is kept, and none is read. */
export type CacheUse = 'use' | 'refresh' | 'bypass';

/** Without state, and with one JSON object or stream as their response. */
const routes: ReadonlySet<string> = new Set([
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/messages',
  '/v1/embeddings',
  '/v1/rerank',
]);

/** What the client says of caching, by `Cache-Control` of its request. */
export function requestedUse({ upstream }: ApiRoute, headers: IncomingHttpHeaders): CacheUse {
  if (!routes.has(upstream) || headers['content-type']?.startsWith('multipart/')) return 'bypass';
  const control = headers['cache-control'];
  if (control === undefined) return 'use';
  const directives = control.split(',').map((directive) => directive.trim().toLowerCase());
  if (directives.includes('no-store')) return 'bypass';
  return directives.includes('no-cache') ? 'refresh' : 'use';
}

/** Tools call something outside, and these fields make the engine choose tokens by chance even at temperature 0. */
const excluded = [
  ...[
    'tools',
    'tool_choice',
    'functions',
    'function_call',
    'parallel_tool_calls',
    'mcp_servers',
    'container',
  ],
  ...['samplers', 'mirostat', 'dynatemp_range', 'adaptive_target', 'xtc_probability'],
] as const;

/** Whether the same request gets the same response. */
export function isRepeatable({ generates }: ApiRoute, fields: JsonObject): boolean {
  if (hasRemoteMedia(fields)) return false;
  if (!generates) return true;
  if (fields.temperature !== 0) return false;
  if (excluded.some((name) => isGiven(fields[name]))) return false;
  return ['n', 'n_cmpl', 'best_of'].every((name) => !isGiven(fields[name]) || fields[name] === 1);
}

const isGiven = (value: unknown) => value !== undefined && value !== null;

/** What is at an address may change. */
function hasRemoteMedia(fields: JsonObject): boolean {
  try {
    rejectRemoteMedia(fields);
    return false;
  } catch (error) {
    if (error instanceof ApiError) return true;
    throw error;
  }
}
