import { boot } from './boot.ts';
import type { Check } from './check.ts';
import { clientLeaves } from './client-leaves.ts';
import { engine } from './engine.ts';
import { memory } from './memory.ts';
import { plans } from './plans.ts';
import { unreadStreams } from './unread-streams.ts';

export const checks = { memory, unread: unreadStreams, leaving: clientLeaves, boot, engine, plans } as const;

export type CheckName = keyof typeof checks;

/** Run only where they are asked for: they take half an hour. */
export const longChecks: readonly CheckName[] = ['plans'];

/** Left out of a quick run. */
export const slowChecks: readonly CheckName[] = ['boot', 'engine'];

export const checkNamed = (name: CheckName): Check => checks[name];
