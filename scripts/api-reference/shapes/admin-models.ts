import { z } from 'zod';
import { modelKinds } from '../../../models/registry.ts';

const count = z.int().nonnegative();
const bytes = z.int().nonnegative().nullable();
const progress = z.number().min(0).max(1).nullable();
const modelStatus = z.enum(['unloaded', 'loading', 'loaded', 'sleeping', 'failed']);

const target = z.strictObject({ model: z.string(), weight: z.number().nonnegative() });

/** An alias of `models.json`. */
export const alias = z.strictObject({
  name: z.string(),
  targets: z.array(target),
  previous: z.array(target).nullable().describe('What a rollback goes back to.'),
});

export const aliasTargets = z.strictObject({
  targets: z
    .array(z.strictObject({ model: z.string(), weight: z.number().nonnegative().optional() }))
    .describe('Weights are shares of their sum; the default is 1.'),
});

export const promotion = z.strictObject({ to: z.string().describe('The id of a model.') });

const model = z.strictObject({
  id: z.string(),
  kind: z.enum(modelKinds),
  status: modelStatus,
  loadProgress: progress.describe('0 to 1; null if nothing is being loaded, or if it is unknown.'),
  failure: z
    .string()
    .nullable()
    .describe('Why it failed: a crash class, `load-timed-out`, `is-router` or `does-not-fit`.'),
  pin: z.boolean(),
  listed: z.boolean().describe('Whether `GET /v1/models` lists it.'),
  memory: bytes.describe('What it takes, or would take, in bytes.'),
  restarts: count,
  crashes: z.record(z.string(), count).describe('By crash class.'),
  engines: z.array(
    z.strictObject({
      id: z.string(),
      status: z.enum(['unloaded', 'starting', 'loading', 'ready', 'restarting', 'failed', 'draining']),
      slots: count.nullable(),
      loadProgress: progress,
    }),
  ),
});

export const modelStates = z.strictObject({
  models: z.array(model),
  aliases: z.array(alias),
  memoryBudget: bytes.describe('For all models together; null with one model.'),
  problem: z.string().nullable().describe('Why the current `models.json` is not in effect.'),
});

export const modelActionAccepted = z.strictObject({
  id: z.string(),
  action: z.enum(['load', 'unload', 'restart']),
  message: z.string(),
});
