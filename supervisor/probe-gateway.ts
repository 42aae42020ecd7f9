import { type Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { requestBackend } from '../health/request-backend.ts';

/**
 * The result of one probe of the gateway. alive: it responded, or closed the connection, as it does with too many of
 * them · silent: no response in time, or nothing listens · unknown: the probe itself failed.
 */
export type GatewayProbeResult = 'alive' | 'silent' | 'unknown';

export interface GatewayProbe {
  readonly host: string;
  readonly port: number;
  /** Keeps the connection open: at the connection limit, a new one each second would evict an idle client's. */
  readonly agent: Agent;
  readonly timeoutMs: number;
}

/** Requests `/livez` once; never throws. It needs no key, logs nothing and does not count as activity. */
export function probeGateway(probe: GatewayProbe): Promise<GatewayProbeResult> {
  const { host, port, agent, timeoutMs } = probe;
  const hostname = connectableHost(host).replace(/^\[|\]$/g, '');
  const timeout = AbortSignal.timeout(timeoutMs);
  return new Promise((resolve) => {
    request({ host: hostname, port, path: '/livez', agent, signal: timeout }, (response) => {
      resolve('alive');
      response.on('error', () => {}).resume();
    })
      .on('error', ({ code = '' }: NodeJS.ErrnoException) =>
        resolve(timeout.aborted ? 'silent' : classifyError(code)),
      )
      .end();
  });
}

function classifyError(code: string): GatewayProbeResult {
  if (code === 'ECONNREFUSED' || code === 'ETIMEDOUT') return 'silent';
  return code === 'ECONNRESET' || code === 'EPIPE' || code.startsWith('HPE_') ? 'alive' : 'unknown';
}

const startPollMs = 20;

/** Resolves with true when the gateway responds, with false when the signal is aborted first. */
export async function waitForGateway(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  const gateway = {
    address: { origin: `http://${connectableHost(host)}:${port}`, socketPath: undefined },
    apiKey: undefined,
  };
  while (!signal.aborted) {
    const response = await requestBackend(gateway, { path: '/livez', timeoutMs: 1000 });
    if (signal.aborted) break;
    if (response.outcome === 'responded' && response.status === 200) return true;
    await sleep(startPollMs);
  }
  return false;
}

/** The host to connect to for a server that listens on `host`. */
export function connectableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
