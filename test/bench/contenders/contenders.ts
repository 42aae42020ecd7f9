import { startStub } from '../stub-upstream.ts';
import { startBareCorral, startCorral, startTracedCorral } from './corral.ts';
import { startFastify, startHaproxy, startNginx, startPortkey } from './other-proxies.ts';
import { startReference } from './reference.ts';
import type { RunningContender, StartContender } from './start-contender.ts';

/** Everything that is compared, by its name in the tables. */
export const contenders = {
  direct: startDirect,
  nginx: ({ port }) => startNginx(port),
  HAProxy: ({ port }) => startHaproxy(port),
  Portkey: ({ port }) => startPortkey(port),
  '@fastify/http-proxy': ({ port }) => startFastify(port),
  reference: ({ port }) => startReference(`http://127.0.0.1:${port}`),
  'reference, unix socket': ({ socketPath }) => startReference(`unix:${socketPath}`),
  'llama-corral': ({ port }) => startCorral(`http://127.0.0.1:${port}`),
  'llama-corral, unix socket': ({ socketPath }) => startCorral(`unix:${socketPath}`),
  'llama-corral, traced': ({ port }) => startTracedCorral(`http://127.0.0.1:${port}`),
  'llama-corral, bare': ({ port }) => startBareCorral(`http://127.0.0.1:${port}`),
} as const satisfies Readonly<Record<string, StartContender>>;

export type ContenderName = keyof typeof contenders;

/** Programs in C: as fast at the first request as later. */
export const compiledContenders: readonly ContenderName[] = ['direct', 'nginx', 'HAProxy'];

/** No proxy: an upstream of its own in place of the contender. */
async function startDirect(): Promise<RunningContender> {
  const stub = await startStub(0);
  return {
    port: stub.port,
    pid: stub.pid,
    headers: [],
    keyFile: undefined,
    [Symbol.asyncDispose]: () => stub[Symbol.asyncDispose](),
  };
}
