import type { StreamError } from '../response-format.ts';

/** The codes that the `error` of a response object has here, of OpenAI's fixed list. */
export type ResponseErrorCode =
  | 'server_error'
  | 'rate_limit_exceeded'
  | 'invalid_prompt'
  | 'context_length_exceeded';

/**
 * The code of an error in the `error` of a response object, for which OpenAI has a fixed list; the `error` event has our own.
 * `context_length_exceeded` is not on that list, but OpenAI sends it, and Codex acts on it.
 */
export function toResponseErrorCode({
  status,
  code,
}: Pick<StreamError, 'status' | 'code'>): ResponseErrorCode {
  if (code === 'context_length_exceeded') return code;
  // An operator's decision, which the prompt has no part in.
  if (code === 'request_cancelled') return 'server_error';
  if (status === 429) return 'rate_limit_exceeded';
  return status >= 400 && status < 500 ? 'invalid_prompt' : 'server_error';
}
