import type { ContenderName } from '../contenders/contenders.ts';
import { boot } from './boot.ts';
import type { Check } from './check.ts';
import { disconnect } from './disconnect.ts';
import { engine } from './engine.ts';
import { memory, unreadStreams } from './memory.ts';
import { sustainedLoad } from './sustained-load.ts';

export const checks = {
  memory,
  unread: unreadStreams,
  leaving: disconnect,
  boot,
  engine,
  plans: sustainedLoad,
} as const satisfies Readonly<Record<string, Check>>;

export type CheckName = keyof typeof checks;

/** They take half an hour and run only if they are named or with `--long`. */
export const longChecks: readonly CheckName[] = ['plans'];

/** Ours, with a plain proxy and another gateway on Node beside it. */
export const checkedContenders: readonly ContenderName[] = [
  'nginx',
  '@fastify/http-proxy',
  'llama-corral',
  'llama-corral, unix socket',
];
