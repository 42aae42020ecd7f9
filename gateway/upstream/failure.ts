import { ApiError } from '../errors/api-error.ts';

/**
 * How an exchange failed, named by what may be done next.
 * unreachable: nothing was sent, so the request may be sent again or wait · broke-off: the connection was lost after the
 * backend had received the request · stalled: a timeout · shut-down: the gateway ended it · client-left: the client
 * disconnected · cancelled: by an operator, or because its key ended · preempted: a line of a batch gave its slots to a request
 * that waited · too-large: more than is held of a JSON response · misunderstood: a response of another form than was requested ·
 * not-stored: it is complete, but the gateway could not store it, as the client had asked. They are part of the traces, so the
 * names stay.
 */
export type FailureKind =
  | 'unreachable'
  | 'broke-off'
  | 'stalled'
  | 'shut-down'
  | 'client-left'
  | 'cancelled'
  | 'preempted'
  | 'too-large'
  | 'misunderstood'
  | 'not-stored';

export interface Failure {
  readonly kind: FailureKind;
  readonly cause: unknown;
}

/** Why a request is aborted: its client disconnected. */
export class ClientDisconnected extends Error {
  override readonly name = 'ClientDisconnected';
}

/** Why a request is aborted: by an operator, or because its key ended. */
export class RequestCancelled extends Error {
  override readonly name = 'RequestCancelled';
}

/** Why an exchange ends: a line of a batch gives way to a request that waits. */
export class Preempted extends Error {
  override readonly name = 'Preempted';
}

/** Why an exchange ends: no connection in time. */
export class ConnectTimeout extends Error {
  override readonly name = 'ConnectTimeout';
}

/** Why an exchange ends: a timeout of the gateway. */
export class TimeoutExceeded extends Error {
  override readonly name = 'TimeoutExceeded';
}

/** Why an exchange ends: its response has to be held until it is complete, and is too large. */
export class ResponseTooLarge extends Error {
  override readonly name = 'ResponseTooLarge';
}

/** Why an exchange ends: the response has another form than its client was promised. */
export class UnexpectedResponse extends Error {
  override readonly name = 'UnexpectedResponse';
}

/** Why an exchange ends: bytes that are no response. The connection is of no use any more, as if it was lost. */
export class MalformedResponse extends Error {
  override readonly name = 'MalformedResponse';
}

/** Why an exchange ends: the gateway shuts down. */
export class ShuttingDown extends Error {
  override readonly name = 'ShuttingDown';
}

export function classifyFailure(error: unknown): Failure {
  return { kind: getKind(error), cause: error };
}

function getKind(error: unknown): FailureKind {
  if (error instanceof ClientDisconnected) return 'client-left';
  if (error instanceof RequestCancelled) return 'cancelled';
  if (error instanceof Preempted) return 'preempted';
  if (error instanceof TimeoutExceeded) return 'stalled';
  if (error instanceof ShuttingDown) return 'shut-down';
  if (error instanceof ResponseTooLarge) return 'too-large';
  if (error instanceof UnexpectedResponse) return 'misunderstood';
  if (error instanceof ApiError) return 'not-stored';
  if (error instanceof ConnectTimeout) return 'unreachable';
  // The system call that failed. A unix socket whose listener has too many waiting connections fails with EAGAIN.
  const { syscall } = error as NodeJS.ErrnoException;
  return syscall === 'connect' || syscall === 'getaddrinfo' ? 'unreachable' : 'broke-off';
}
