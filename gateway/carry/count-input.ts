import type { BackendWatch } from '../../health/watch.ts';
import type { BackendPool } from '../upstream/pool.ts';

export interface CountingParts {
  readonly pool: BackendPool;
  readonly apiKey: string | undefined;
  readonly watch: BackendWatch;
  /** What a counting may take, ms. */
  readonly patienceMs?: number;
}

/**
 * The tokens of a request's input, counted by the backend's own counting route (`countedAt` of the route table), which
 * takes no slot; undefined where the backend cannot say. Exact: the same code reads the same body.
 */
export function countInput(parts: CountingParts, path: string, body: Buffer): Promise<number | undefined> {
  return ask(parts, path, path === '/tokenize' ? promptOf(body) : body);
}

/** The tokens of a text that the backend has generated; undefined where the backend cannot say. */
export function countText(parts: CountingParts, text: string): Promise<number | undefined> {
  return ask(parts, '/tokenize', JSON.stringify({ content: text, add_special: false, parse_special: true }));
}

async function ask(
  { pool, apiKey, watch, patienceMs = 2000 }: CountingParts,
  path: string,
  body: Buffer | string,
): Promise<number | undefined> {
  if (watch.standing !== 'ready') return undefined;
  try {
    const answer = await pool.request({
      method: 'POST',
      path,
      headers: {
        'content-type': 'application/json',
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      },
      body,
      signal: AbortSignal.timeout(patienceMs),
    });
    return tokensIn(await answer.body.json());
  } catch {
    return undefined;
  }
}

/** What `/tokenize` takes, of a completion: special tokens are added and read as the completion would. */
function promptOf(body: Buffer): string {
  const { prompt } = JSON.parse(body.toString()) as { prompt?: unknown };
  return JSON.stringify({ content: prompt, add_special: true, parse_special: true });
}

function tokensIn(answer: unknown): number | undefined {
  const { input_tokens, tokens } = answer as { input_tokens?: unknown; tokens?: unknown };
  if (typeof input_tokens === 'number') return input_tokens;
  return Array.isArray(tokens) ? tokens.length : undefined;
}
