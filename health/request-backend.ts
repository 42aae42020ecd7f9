import { request } from 'node:http';
import type { Backend, BackendAddress } from './backend.ts';

export interface BackendRequest {
  readonly path: string;
  /** Sent as JSON with POST, bytes as they are; without one it is a GET. */
  readonly body?: unknown;
  readonly timeoutMs: number;
  /** Ends the wait before that. */
  readonly signal?: AbortSignal | undefined;
}

export type BackendResponse =
  | { readonly outcome: 'answered'; readonly status: number; readonly body: string }
  /** unreachable: nobody listens, or broke off · deaf: no whole answer in time. */
  | { readonly outcome: 'unreachable' | 'deaf' };

/**
 * Asks a backend one thing; never throws. Each question has a connection of its own, so that it never finds a socket
 * which the backend has just closed.
 */
export function requestBackend(
  { address, apiKey }: Backend,
  question: BackendRequest,
): Promise<BackendResponse> {
  const { path, body, timeoutMs, signal: ended } = question;
  const content = body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const headers = {
    ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
    ...(content !== undefined && { 'content-type': 'application/json' }),
  };
  const method = content === undefined ? 'GET' : 'POST';
  return new Promise<BackendResponse>((resolve) => {
    const late = AbortSignal.timeout(timeoutMs);
    const signal = ended === undefined ? late : AbortSignal.any([late, ended]);
    const end = () => resolve({ outcome: late.aborted ? 'deaf' : 'unreachable' });
    const asking = request(
      { ...connectOptions(address), method, path, headers, signal, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve({ outcome: 'answered', status: response.statusCode ?? 0, body: text }),
        );
        response.on('error', end);
      },
    );
    asking.on('error', end).end(content);
    // Thrown on the spot, such as for a key that no header can hold: nobody was reached.
  }).catch((): BackendResponse => ({ outcome: 'unreachable' }));
}

/** Where `node:http` connects to for an address. */
export function connectOptions({ origin, socketPath }: BackendAddress) {
  if (socketPath !== undefined) return { socketPath };
  const { hostname, port } = new URL(origin);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port || 80 };
}
