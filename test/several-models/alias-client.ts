import { fetch } from 'undici';
import type { Scrape } from '../harness/read-metrics.ts';
import { readMetrics } from '../harness/read-metrics.ts';
import { type ModelsProduct, secrets } from './product.ts';

export const ALIAS = 'latest';

/** How a client names the conversation that a request belongs to: headers, or fields of the body. */
export interface Identity {
  readonly headers?: Readonly<Record<string, string>>;
  readonly fields?: object;
}

/** One short chat by the alias. `model` is undefined if it failed. */
export interface AliasAnswer {
  readonly status: number;
  readonly model: string | undefined;
  readonly alias: string | null;
  readonly text: string;
  /** The answer itself. */
  readonly content: string | undefined;
}

interface ChatAnswer {
  readonly model: string;
  readonly choices: readonly { readonly message: { readonly content: string } }[];
}

export async function askAlias(
  { origin }: ModelsProduct,
  content: string,
  { headers = {}, fields = {} }: Identity = {},
): Promise<AliasAnswer> {
  const response = await fetch(`${origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secrets.second}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({
      ...{ model: ALIAS, max_tokens: 1, messages: [{ role: 'user', content }], ...fields },
    }),
  });
  const text = await response.text();
  const alias = response.headers.get('x-corral-alias');
  const failed = { status: response.status, model: undefined, content: undefined, alias, text };
  if (!response.ok) return failed;
  const { model, choices } = JSON.parse(text) as ChatAnswer;
  return { ...failed, model, content: choices[0]?.message.content };
}

export async function scrapeProduct({ origin }: ModelsProduct): Promise<Scrape> {
  const response = await fetch(`${origin}/metrics`, { headers: { 'x-api-key': secrets.admin } });
  if (!response.ok) throw new Error(`/metrics: ${response.status} ${await response.text()}`);
  return readMetrics(await response.text());
}

/** Runs `work` for the numbers below `count`, `concurrency` at a time. */
export async function inParallel(
  count: number,
  concurrency: number,
  work: (n: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}
