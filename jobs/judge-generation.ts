import type { GenerationResult, Rejected } from './generate-response.ts';
import type { ReceivedEvent } from './response-event.ts';

/** What becomes of a background response after a request for it. */
export type Decision =
  /** With this last event. */
  | { readonly response: 'ends'; readonly event: ReceivedEvent }
  /** `isBlamed`: the request itself may be the reason, so it is not repeated for ever. */
  | {
      readonly response: 'waits';
      readonly forMs: number;
      readonly reason: string;
      readonly isBlamed: boolean;
    }
  /** What there is of it cannot be continued. */
  | { readonly response: 'begins anew'; readonly reason: string }
  /** Its key may not be acted for any more. */
  | { readonly response: 'is refused'; readonly code: string; readonly message: string }
  | { readonly response: 'fails'; readonly code: string; readonly message: string };

const FIRST_WAIT = 250;
/** The longest wait of its own, ms. */
const LONGEST_WAIT = 10_000;
/** For what may take hours, ms. */
const QUOTA_WAIT = 60_000;

/** With these codes the gateway ends a stream that the next engine, or the next gateway, may go on with. */
const interruptions: ReadonlySet<string> = new Set([
  ...['draining', 'backend_unavailable', 'model_loading', 'queue_full', 'queue_timeout', 'bad_gateway'],
]);

/** What could not be served now is never a failed response: it waits. `failures`: how often in a row it had to wait. */
export function judgeGeneration(result: GenerationResult, failures: number): Decision {
  const forMs = Math.min(FIRST_WAIT * 2 ** failures, LONGEST_WAIT);
  const wait = (reason: string, isBlamed = false, ms = forMs): Decision => ({
    ...{ response: 'waits', forMs: ms, reason, isBlamed },
  });
  if (result.outcome === 'unreachable') return wait(`the gateway does not respond (${result.reason})`);
  if (result.outcome === 'rejected') return judgeRejection(result, wait);
  if (result.last === undefined) return wait('the stream broke off');
  const { last, error } = result;
  return error !== undefined && interruptions.has(error.code)
    ? wait(error.message, error.code === 'bad_gateway')
    : { response: 'ends', event: last };
}

function judgeRejection(
  { status, code, message, retryAfterMs, isFinal, keyProblem, beginAnew }: Rejected,
  wait: (reason: string, isBlamed?: boolean, ms?: number) => Decision,
): Decision {
  if (keyProblem !== undefined)
    return { response: 'is refused', code: toResponseCode(status, code), message };
  if (beginAnew !== undefined) return { response: 'begins anew', reason: beginAnew };
  if (status === 429) return wait(message, false, isFinal ? QUOTA_WAIT : retryAfterMs);
  if (status === 503) return wait(message, false, retryAfterMs);
  if (status >= 500 && !isFinal) return wait(message, true);
  return { response: 'fails', code: toResponseCode(status, code), message };
}

/** Codes of OpenAI's list, as the gateway gives them in a stream (gateway/api/responses/error-code.ts). */
function toResponseCode(status: number, code: string): string {
  if (code === 'context_length_exceeded') return code;
  // An operator's decision, which the prompt has no part in.
  if (code === 'request_cancelled') return 'server_error';
  return status < 500 ? 'invalid_prompt' : 'server_error';
}
