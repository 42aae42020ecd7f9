/** Calls of the API with the key of this tab. */
import { readEvents } from './event-stream.js';

/**
 * A model in the list of the API.
 * @typedef {{ id: string, status?: string, kind?: string }} Model
 */

/**
 * A part of a completion: text of the answer, of the reasoning before it, what the request waits for, or what it took.
 * @typedef {{ content: string } | { reasoning: string } | { waiting: string } | { finish: string } |
 *   { tokens: number, perSecond?: number }} CompletionPart
 */

/** What the gateway rejected, or an answer that it could not finish. */
export class ApiProblem extends Error {
  /**
   * @param {string} message
   * @param {{ status?: number, code?: string | undefined, retryAfter?: number | undefined }} [details]
   */
  constructor(message, { status = 0, code, retryAfter } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    /** Seconds. */
    this.retryAfter = retryAfter;
  }
}

/**
 * The models that the key can chat with.
 * @param {string | undefined} key
 * @returns {Promise<Model[]>}
 */
export async function listModels(key) {
  const response = await call('v1/models', key);
  const { data } = await response.json();
  return data.filter((/** @type {Model} */ { kind = 'chat' }) => kind === 'chat');
}

/**
 * Throws an ApiProblem, or the reason of `signal`.
 * @param {string | undefined} key
 * @param {object} request
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<CompletionPart>}
 */
export async function* streamCompletion(key, request, signal) {
  const response = await call('v1/chat/completions', key, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...request, stream: true, stream_options: { include_usage: true } }),
    signal,
  });
  if (response.body === null) throw new ApiProblem('The response has no body.');
  try {
    for await (const event of readEvents(response.body)) {
      if ('comment' in event) yield { waiting: event.comment };
      else if (event.data === '[DONE]') return;
      else yield* readChunk(JSON.parse(event.data));
    }
  } catch (error) {
    if (signal.aborted || error instanceof ApiProblem) throw error;
    throw new ApiProblem('The connection was lost before the end of the response.');
  }
  throw new ApiProblem('The response ended too early.');
}

/**
 * @param {any} chunk
 * @returns {Generator<CompletionPart>}
 */
function* readChunk({ error, choices = [], usage, timings }) {
  if (error) throw new ApiProblem(error.message, { code: error.code ?? undefined });
  const [{ delta = {}, finish_reason: finish = null } = {}] = choices;
  if (delta.reasoning_content) yield { reasoning: delta.reasoning_content };
  if (delta.content) yield { content: delta.content };
  if (finish !== null) yield { finish };
  const perSecond = timings?.predicted_per_second;
  if (usage) yield { tokens: usage.completion_tokens, ...(perSecond && { perSecond }) };
}

/**
 * The key is in `x-api-key`, because a proxy in front may need `authorization` for itself. URLs are relative, so that they
 * work behind a proxy that adds a path prefix.
 * @param {string} path
 * @param {string | undefined} key
 * @param {RequestInit} [init]
 */
async function call(path, key, init = {}) {
  const headers = { ...init.headers, ...(key !== undefined && { 'x-api-key': key }) };
  const response = await fetch(path, { ...init, headers, credentials: 'omit' }).catch((error) => {
    if (init.signal?.aborted) throw error;
    throw new ApiProblem('Cannot reach the gateway.');
  });
  if (response.ok) return response;
  const body = await response.json().catch(() => undefined);
  const { message = `The gateway responded with status ${response.status}.`, code } = body?.error ?? {};
  const retryAfter = Number(response.headers.get('retry-after')) || undefined;
  throw new ApiProblem(message, { status: response.status, code: code ?? undefined, retryAfter });
}
