import { type Agent, request } from 'node:http';
import { connectableHost } from './await-gateway.ts';

/**
 * What one question to the gateway tells. alive: it answered, or ended the connection, as it does where it has too many ·
 * silent: no answer in time, or nobody listens · blind: we could not ask, which says nothing of the gateway.
 */
export type GatewayProbeResult = 'alive' | 'silent' | 'blind';

export interface GatewayProbe {
  readonly host: string;
  readonly port: number;
  /** Keeps the connection: a new one each second would displace an idle client's where they are full. */
  readonly agent: Agent;
  readonly timeoutMs: number;
}

/** Asks `/livez` once; never throws. It needs no key, passes no line and counts for no activity. */
export function probeGateway(question: GatewayProbe): Promise<GatewayProbeResult> {
  const { host, port, agent, timeoutMs } = question;
  const hostname = connectableHost(host).replace(/^\[|\]$/g, '');
  const late = AbortSignal.timeout(timeoutMs);
  return new Promise((resolve) => {
    request({ host: hostname, port, path: '/livez', agent, signal: late }, (response) => {
      resolve('alive');
      response.on('error', () => {}).resume();
    })
      .on('error', ({ code = '' }: NodeJS.ErrnoException) => resolve(late.aborted ? 'silent' : sightOf(code)))
      .end();
  });
}

function sightOf(code: string): GatewayProbeResult {
  if (code === 'ECONNREFUSED' || code === 'ETIMEDOUT') return 'silent';
  return code === 'ECONNRESET' || code === 'EPIPE' || code.startsWith('HPE_') ? 'alive' : 'blind';
}
