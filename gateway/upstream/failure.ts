/**
 * How an exchange went wrong, named by what may be done next.
 * unreachable: nothing was sent, so it may go elsewhere or wait · broke-off: the backend had the request and went away ·
 * stalled: it stayed silent past a limit · shut-down: we end it ourselves · client-left: nobody's fault ·
 * cancelled: an operator wanted it to end · too-large: more than we hold for an answer in one piece ·
 * misunderstood: it answered in a form that it was not asked for.
 */
export type FailureKind =
  | 'unreachable'
  | 'broke-off'
  | 'stalled'
  | 'shut-down'
  | 'client-left'
  | 'cancelled'
  | 'too-large'
  | 'misunderstood';

export interface Failure {
  readonly kind: FailureKind;
  readonly cause: unknown;
}

/** The reason with which a departing client aborts its request. */
export class ClientDisconnected extends Error {
  override readonly name = 'ClientGone';
}

/** The reason with which an operator, or the end of its key, aborts a request. */
export class RequestCancelled extends Error {
  override readonly name = 'RequestCancelled';
}

/** The reason with which a limit of ours ends an exchange. */
export class TimeoutExceeded extends Error {
  override readonly name = 'TookTooLong';
}

/** The reason with which an answer that we would have to hold whole ends its exchange. */
export class ResponseTooLarge extends Error {
  override readonly name = 'AnswerTooLarge';
}

/** The reason with which an answer of another form than was promised to the client ends its exchange. */
export class UnexpectedResponse extends Error {
  override readonly name = 'AnswerMisunderstood';
}

/** The reason with which the gateway's own end ends an exchange. */
export class ShuttingDown extends Error {
  override readonly name = 'ShuttingDown';
}

const neverSent = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'EACCES',
  // A unix socket whose listener has too many waiting connections.
  'EAGAIN',
]);
const silence = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

export function classifyFailure(error: unknown): Failure {
  return { kind: kindOf(error), cause: error };
}

function kindOf(error: unknown): FailureKind {
  if (error instanceof ClientDisconnected) return 'client-left';
  if (error instanceof RequestCancelled) return 'cancelled';
  if (error instanceof TimeoutExceeded) return 'stalled';
  if (error instanceof ShuttingDown) return 'shut-down';
  if (error instanceof ResponseTooLarge) return 'too-large';
  if (error instanceof UnexpectedResponse) return 'misunderstood';
  const code = (error as { code?: string }).code ?? '';
  if (neverSent.has(code)) return 'unreachable';
  return silence.has(code) ? 'stalled' : 'broke-off';
}
