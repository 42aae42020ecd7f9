import type { Pool } from 'undici';
import type { BackendWatch } from '../../health/watch.ts';
import type { ApiRoute } from '../routes/api-routes.ts';

export interface CountingParts {
  readonly pool: Pool;
  readonly apiKey: string | undefined;
  readonly watch: BackendWatch;
}

/** What a counting may take, ms: nobody waits for it but the books. */
const PATIENCE = 2000;
/** Bodies that wait to be counted, in bytes. What comes on top of it is estimated. */
const MOST_WAITING = 32 * 1024 ** 2;
const BYTES_PER_TOKEN = 4;

/**
 * Counts the input of requests that were broken off, of which the backend never told the tokens: it is asked by its own
 * counting route, with the same body, so the count is exact. One at a time, off the way of requests. Where the backend
 * cannot say, the count is an estimate: a token for four bytes of the body, and never more than one request may hold.
 */
export class AbandonedInput {
  readonly #parts: CountingParts;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(parts: CountingParts) {
    this.#parts = parts;
  }

  count(route: ApiRoute, body: Buffer): Promise<number> {
    const { countedAt } = route;
    if (countedAt === undefined) return Promise.resolve(0);
    if (this.#waiting + body.length > MOST_WAITING) return Promise.resolve(this.#estimate(body));
    this.#waiting += body.length;
    const counted = this.#last.then(async () => {
      const tokens = await this.#ask(countedAt, body);
      this.#waiting -= body.length;
      return tokens ?? this.#estimate(body);
    });
    this.#last = counted;
    return counted;
  }

  async #ask(path: string, body: Buffer): Promise<number | undefined> {
    const { pool, apiKey, watch } = this.#parts;
    if (watch.standing !== 'ready') return undefined;
    try {
      const answer = await pool.request({
        method: 'POST',
        path,
        headers: {
          'content-type': 'application/json',
          ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
        },
        body: path === '/tokenize' ? promptOf(body) : body,
        signal: AbortSignal.timeout(PATIENCE),
      });
      return tokensIn(await answer.body.json());
    } catch {
      return undefined;
    }
  }

  #estimate(body: Buffer): number {
    const most = this.#parts.watch.facts?.contextPerSlot ?? Number.POSITIVE_INFINITY;
    return Math.min(Math.ceil(body.length / BYTES_PER_TOKEN), most);
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
