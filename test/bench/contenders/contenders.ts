import type { StartContender } from './contender.ts';
import { startBareCorral, startCorral, startTracedCorral } from './corral.ts';
import { startDirect } from './direct.ts';
import { startFastify, startPortkey } from './npm-gateways.ts';
import { startHaproxy, startNginx } from './proxies.ts';

/** Everything that is put side by side, by the name that tables show. */
export const contenders = {
  direct: startDirect,
  nginx: ({ port }) => startNginx(port),
  HAProxy: ({ port }) => startHaproxy(port),
  Portkey: ({ port }) => startPortkey(port),
  '@fastify/http-proxy': ({ port }) => startFastify(port),
  'llama-corral': ({ port }) => startCorral(`http://127.0.0.1:${port}`),
  'llama-corral, unix socket': ({ socketPath }) => startCorral(`unix:${socketPath}`),
  'llama-corral, traced': ({ port }) => startTracedCorral(`http://127.0.0.1:${port}`),
  'llama-corral, bare': ({ port }) => startBareCorral(`http://127.0.0.1:${port}`),
} as const satisfies Readonly<Record<string, StartContender>>;

export type ContenderName = keyof typeof contenders;
