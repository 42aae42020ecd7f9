import { request } from 'node:http';
import type { Backend, BackendAddress } from './backend.ts';

export interface BackendRequest {
  readonly path: string;
  /** Sent with POST as JSON, a Buffer as it is; without a body it is a GET. */
  readonly body?: unknown;
  readonly timeoutMs: number;
  /** Ends the wait earlier. */
  readonly signal?: AbortSignal | undefined;
}

export type BackendResponse =
  | { readonly outcome: 'responded'; readonly status: number; readonly body: string }
  /** unreachable: nothing listens, or the connection broke · timed-out: no complete response in time. */
  | { readonly outcome: 'unreachable' | 'timed-out' };

/**
 * Sends one request to a backend; never throws. Each request has its own connection, so that it never uses a socket that
 * the backend has just closed.
 */
export function requestBackend(
  { address, apiKey }: Backend,
  { path, body, timeoutMs, signal: aborted }: BackendRequest,
): Promise<BackendResponse> {
  const content = body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const headers = {
    ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
    ...(content !== undefined && { 'content-type': 'application/json' }),
  };
  const method = content === undefined ? 'GET' : 'POST';
  return new Promise<BackendResponse>((resolve) => {
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = aborted === undefined ? timeout : AbortSignal.any([timeout, aborted]);
    const fail = () => resolve({ outcome: timeout.aborted ? 'timed-out' : 'unreachable' });
    const options = { ...connectOptions(address), method, path, headers, signal, agent: false };
    const outgoing = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ outcome: 'responded', status: response.statusCode ?? 0, body: text }),
      );
      response.on('error', fail);
    });
    outgoing.on('error', fail).end(content);
    // Thrown at once, for example for a key that no header can hold.
  }).catch((): BackendResponse => ({ outcome: 'unreachable' }));
}

/** Where `node:http` connects to for an address. */
export function connectOptions({ origin, socketPath }: BackendAddress) {
  return socketPath === undefined ? hostAndPort(origin) : { socketPath };
}

/** The parts of `http://host:port`; an IPv6 address comes without brackets. */
export function hostAndPort(origin: string) {
  const { hostname, port } = new URL(origin);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) };
}
