import type { LineResponse, Responded } from './send-line.ts';

/** What becomes of a line after a response. */
export type Verdict =
  | { readonly line: 'completed' | 'failed'; readonly response: Responded }
  /** It is asked again. `reason` is for the owner of the batch. */
  | { readonly line: 'waits'; readonly forMs: number; readonly reason: string }
  /** The same, but others of the batch need not. */
  | { readonly line: 'waits alone'; readonly forMs: number; readonly reason: string }
  /** Its key may not run batches any more. */
  | { readonly line: 'refused'; readonly code: string; readonly message: string };

/** How often a line is asked again after an engine has failed in the middle of it. */
const MAX_ENGINE_FAILURES = 5;
/** The longest wait of its own, ms. */
const LONGEST_WAIT = 10_000;
/** For what may take hours, ms. */
const QUOTA_WAIT = 60_000;
/** For a conversation that another response uses, ms. */
const CONVERSATION_WAIT = 1000;

/**
 * What could not be served now is never a failed line: it waits. `failures`: how often in a row lines of this batch had to
 * wait; `attempts`: how often an engine has failed with this line.
 */
export function judgeResponse(response: LineResponse, failures: number, attempts: number): Verdict {
  const forMs = Math.min(250 * 2 ** failures, LONGEST_WAIT);
  if (response.outcome === 'unreachable')
    return { line: 'waits', forMs, reason: `the gateway does not respond (${response.reason})` };
  const { status, retryAfterMs, keyProblem, isFinal } = response;
  const { message, code } = readError(JSON.parse(response.json));
  if (keyProblem !== undefined) return { line: 'refused', code: keyProblem, message };
  if (status === 429 && isFinal) return { line: 'waits', forMs: QUOTA_WAIT, reason: message };
  if (status === 429 || status === 503)
    return { line: 'waits', forMs: retryAfterMs ?? forMs, reason: message };
  if (status === 502 && !isFinal && attempts < MAX_ENGINE_FAILURES)
    return { line: 'waits', forMs, reason: message };
  if (status === 400 && code === 'conversation_locked')
    return { line: 'waits alone', forMs: CONVERSATION_WAIT, reason: message };
  return { line: status < 400 ? 'completed' : 'failed', response };
}

/** All APIs have it at this place. */
function readError(body: unknown): { readonly message: string; readonly code: unknown } {
  const { error } = (typeof body === 'object' && body !== null ? body : {}) as {
    error?: { message?: unknown; code?: unknown } | null;
  };
  const { message, code } = error ?? {};
  return { message: typeof message === 'string' ? message : 'the gateway gave no reason', code };
}
