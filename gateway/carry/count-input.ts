import { ask } from '../../health/ask.ts';
import type { Backend } from '../../health/backend.ts';
import type { BackendWatch } from '../../health/watch.ts';
import type { ApiRoute } from '../routes/api-routes.ts';
import { countedBody } from './counted-body.ts';

export interface CountingParts {
  readonly backend: Backend;
  readonly watch: BackendWatch;
  /** Aborts when the gateway ends. */
  readonly ended: AbortSignal;
  /** What a counting may take, ms. */
  readonly patienceMs?: number;
}

/**
 * The tokens of a request's input, counted by the backend's own counting route (`countedAt` of the route table), which
 * takes no slot; undefined where the backend cannot say. Exact: the same code reads the same body.
 */
export async function countInput(
  parts: CountingParts,
  route: ApiRoute,
  body: Buffer,
): Promise<number | undefined> {
  const { countedAt } = route;
  return countedAt === undefined ? undefined : count(parts, countedAt, countedBody(route, body));
}

/** The tokens of a text that the backend has generated; undefined where the backend cannot say. */
export function countText(parts: CountingParts, text: string): Promise<number | undefined> {
  return count(parts, '/tokenize', { content: text, add_special: false, parse_special: true });
}

async function count(
  { backend, watch, ended, patienceMs = 2000 }: CountingParts,
  path: string,
  body: Buffer | object,
): Promise<number | undefined> {
  if (watch.standing !== 'ready') return undefined;
  const answer = await ask(backend, { path, body, timeoutMs: patienceMs, signal: ended });
  return answer.outcome === 'answered' ? tokensIn(answer.body) : undefined;
}

function tokensIn(answer: string): number | undefined {
  try {
    const { input_tokens, tokens } = JSON.parse(answer) as { input_tokens?: unknown; tokens?: unknown };
    if (typeof input_tokens === 'number') return input_tokens;
    return Array.isArray(tokens) ? tokens.length : undefined;
  } catch {
    return undefined;
  }
}
