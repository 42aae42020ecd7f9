import { canary } from './canary.ts';
import { kinds } from './kinds.ts';
import { replicas } from './replicas.ts';
import type { Scenario } from './scenario.ts';
import { swaps } from './swaps.ts';

/** By the name that the command takes. */
export const scenarios: Readonly<Record<string, Scenario>> = { canary, kinds, replicas, swaps };
