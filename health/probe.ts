import { request } from 'node:http';
import type { Backend, BackendAddress } from './backend.ts';

/**
 * What one look at `/health` tells.
 * unreachable: nobody listens, or what listens is no llama-server · loading: bound, the model is not there yet ·
 * ready: it serves · deaf: somebody holds the address and says nothing in time.
 */
export type ProbeResult = 'unreachable' | 'loading' | 'ready' | 'deaf';

/** Asks `/health` once; never throws. It needs no key and does not pass llama-server's task queue. */
export async function probe(backend: Backend, timeoutMs = 1000): Promise<ProbeResult> {
  const answer = await get(backend, '/health', timeoutMs);
  if (answer.outcome !== 'answered') return answer.outcome;
  if (answer.status === 200) return 'ready';
  return answer.status === 503 ? 'loading' : 'unreachable';
}

export type Answer =
  | { readonly outcome: 'answered'; readonly status: number; readonly body: string }
  | { readonly outcome: 'unreachable' | 'deaf' };

/** One GET on a connection of its own, so that a probe never finds a socket which the backend has just closed. */
export function get({ address, apiKey }: Backend, path: string, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
    const signal = AbortSignal.timeout(timeoutMs);
    const end = () => resolve({ outcome: signal.aborted ? 'deaf' : 'unreachable' });
    request({ ...dial(address), path, headers, signal, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ outcome: 'answered', status: response.statusCode ?? 0, body }));
      response.on('error', end);
    })
      .on('error', end)
      .end();
  });
}

/** Where `node:http` connects to for an address. */
function dial({ origin, socketPath }: BackendAddress) {
  if (socketPath !== undefined) return { socketPath };
  const { hostname, port } = new URL(origin);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port || 80 };
}
