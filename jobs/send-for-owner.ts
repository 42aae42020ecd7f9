import type { GatewayClient, GatewayResponse, Unreachable } from '../client/gateway-client.ts';

/** A request that the gateway handles as if the owner of the job had sent it (gateway/middleware/act-for-key.ts). */
export interface JobRequest {
  /** The id of the key to act for; empty where no key is required. */
  readonly owner: string;
  /** The user of the key that it counts for. */
  readonly user: string | null;
  readonly requestId: string;
  readonly path: string;
  readonly body: string;
  /** What the request is for. */
  readonly job: { readonly 'x-corral-batch': string } | { readonly 'x-corral-response': string };
}

/** Throws only the reason of the signal. */
export function sendForOwner<T>(
  gateway: GatewayClient,
  { owner, user, requestId, path, body, job }: JobRequest,
  read: (response: GatewayResponse) => Promise<T>,
  signal: AbortSignal,
): Promise<T | Unreachable> {
  const headers = {
    authorization: `Bearer ${gateway.key}`,
    'content-type': 'application/json',
    ...job,
    'x-corral-on-behalf-of': encodeURIComponent(owner),
    ...(user !== null && { 'x-corral-user': user }),
    'x-request-id': requestId,
  };
  return gateway.send({ method: 'POST', path, headers, body }, read, signal);
}

/** What the gateway says about a request that it has rejected. */
export interface Advice {
  readonly retryAfterMs: number | undefined;
  /** The same request would fail again. */
  readonly isFinal: boolean;
  /** The gateway may not act for the key any more: the code says why. */
  readonly keyProblem: string | undefined;
}

export function readAdvice(response: GatewayResponse): Advice {
  return {
    retryAfterMs: readNumber(response, 'retry-after-ms'),
    isFinal: readHeader(response, 'x-should-retry') === 'false',
    keyProblem: readHeader(response, 'x-corral-key-problem'),
  };
}

export const readHeader = ({ headers }: GatewayResponse, name: string): string | undefined =>
  headers[name]?.toString();

export function readNumber(response: GatewayResponse, name: string): number | undefined {
  const text = readHeader(response, name);
  return text === undefined ? undefined : Number(text);
}
