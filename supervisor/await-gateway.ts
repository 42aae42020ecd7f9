import { setTimeout as sleep } from 'node:timers/promises';
import { requestBackend } from '../health/request-backend.ts';

const pollMs = 20;

/** Settles with true once the gateway answers, with false where it was given up on before. */
export async function awaitGateway(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  const gateway = {
    address: { origin: `http://${connectableHost(host)}:${port}`, socketPath: undefined },
    apiKey: undefined,
  };
  while (!signal.aborted) {
    const answer = await requestBackend(gateway, { path: '/livez', timeoutMs: 1000 });
    if (signal.aborted) break;
    if (answer.outcome === 'answered' && answer.status === 200) return true;
    await sleep(pollMs);
  }
  return false;
}

/** Where one dials what listens on `host`. */
export function connectableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
