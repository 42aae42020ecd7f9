import type { Pool } from 'undici';
import type { BenchClient, BenchRequest } from './bench-client.ts';
import type { Prompt } from './prompts.ts';
import { fitTokens, syntheticPrompt, type TokenEstimate, wordListLength } from './synthetic-prompts.ts';
import type { Target } from './target.ts';

/** The first model that the endpoint lists. */
export async function firstModel(
  pool: Pool,
  { basePath, url }: Target,
  apiKey: string | undefined,
): Promise<string> {
  const headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  const failed = (why: string) => new Error(`${url} lists no models (${why}); name one with --model`);
  const { statusCode, body } = await pool
    .request({ method: 'GET', path: `${basePath}/models`, headers, headersTimeout: 60_000 })
    .catch((error: NodeJS.ErrnoException) => {
      throw new Error(`${url} does not respond (${error.code ?? error.message})`, { cause: error });
    });
  const text = await body.text();
  if (statusCode === 401 || statusCode === 403)
    throw new Error(`${url} rejected the API key (${statusCode}); ${keyAdvice}`);
  if (statusCode !== 200) throw failed(String(statusCode));
  const id = idOfFirst(text);
  if (id === undefined) throw failed('unexpected response');
  return id;
}

function idOfFirst(text: string): string | undefined {
  try {
    const id = (JSON.parse(text) as { data?: { id?: unknown }[] }).data?.[0]?.id;
    return typeof id === 'string' ? id : undefined;
  } catch {
    return undefined;
  }
}

const keyAdvice = 'pass an API key with --key-file, CORRAL_API_KEY or OPENAI_API_KEY';

/** Asks once and tells how many tokens went in, where that is told. Throws, with what to do, where no answer comes. */
export async function sendFirstRequest(
  asker: BenchClient,
  url: string,
  question: BenchRequest,
): Promise<number | undefined> {
  const outcome = await asker.send(question);
  if (outcome.kind === 'done') return outcome.usage?.input;
  if (outcome.kind === 'abandoned') throw new Error('interrupted before anything was measured');
  const advice = /^40[13]/.test(outcome.failure) ? `; ${keyAdvice}` : '';
  throw new Error(`the first request to ${url} failed (${outcome.failure})${advice}`);
}

const SHORTER = 8;
const LONGER = SHORTER + wordListLength;

/** Finds out how many tokens this endpoint sees in a word, by two small requests. */
export async function estimateTokens(
  ask: (prompt: Prompt) => Promise<number | undefined>,
  salt: number,
): Promise<TokenEstimate> {
  const shorter = await ask(syntheticPrompt(0, SHORTER, salt));
  const longer = await ask(syntheticPrompt(1, LONGER, salt));
  if (shorter === undefined || longer === undefined) return { always: 0, perWord: 1 };
  return fitTokens({ words: SHORTER, tokens: shorter }, { words: LONGER, tokens: longer });
}
