import { z } from 'zod';
import { modelKinds } from '../../../models/registry.ts';
import { component } from './component.ts';

const count = z.int().nonnegative();
const bytes = z.int().nonnegative().nullable();
const progress = z.number().min(0).max(1).nullable();
const modelStatus = z.enum(['unloaded', 'loading', 'loaded', 'sleeping', 'failed']);

const target = component(
  'AliasTarget',
  z.strictObject({ model: z.string(), weight: z.number().nonnegative() }),
);

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

const aliasState = component(
  'AliasState',
  alias.extend({
    targets: z.array(
      target.extend({
        effectiveWeight: z.number().nonnegative().describe('0 for a canary that was taken out.'),
        suspended: z.enum(['failed', 'crashed']).nullable().describe('Why it was taken out.'),
      }),
    ),
  }),
);

const model = component(
  'ModelState',
  z.strictObject({
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
    queue: z.strictObject({ waiting: count }),
    slots: z
      .strictObject({ total: count, busy: count })
      .describe('Of all its engines; none while it is not loaded.'),
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
  }),
);

export const modelStates = z.strictObject({
  models: z.array(model),
  aliases: z.array(aliasState),
  memoryBudget: bytes.describe('For all models together; null with one model.'),
  problem: z.string().nullable().describe('Why the current `models.json` is not in effect.'),
});

export const modelActionAccepted = z.strictObject({
  id: z.string(),
  action: z.enum(['load', 'unload', 'restart']),
  message: z.string(),
});
