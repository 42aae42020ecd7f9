import { z } from 'zod';
import { component } from './component.ts';

/** Responses of the gateway itself. */
const count = z.int().nonnegative();
const ms = z.int().nonnegative().describe('Milliseconds.');
const time = z.iso.datetime();
const nullable = {
  text: z.string().nullable(),
  count: count.nullable(),
  number: z.number().nonnegative().nullable(),
  time: time.nullable(),
};
const standing = component(
  'BackendStatus',
  z.enum(['starting', 'loading', 'ready', 'restarting', 'failed', 'draining']),
);

export const health = z.strictObject({
  status: standing,
  model: z.string().nullable().describe('The first public name; null until the backend has reported one.'),
  backend: z.strictObject({
    standing,
    since: time,
    sleeping: z.boolean().describe('The engine has freed its memory until the next request.'),
  }),
  queue: z.strictObject({ waiting: count }),
  slots: z.strictObject({ total: count, busy: count }),
  keys: z
    .strictObject({
      problem: z.boolean().describe('The key file is invalid; the previous keys stay in effect.'),
    })
    .optional(),
});

const scopes = z.array(z.enum(['inference', 'batch', 'native', 'metrics', 'admin']));

const keyLimits = component(
  'KeyLimits',
  z.strictObject({
    requestsPerMinute: count.optional(),
    tokensPerMinute: count.optional(),
    tokensPerDay: count.optional(),
    concurrent: count.optional(),
  }),
);

const key = component(
  'ApiKey',
  z.strictObject({
    id: z.string(),
    hint: nullable.text.describe('The visible part of the secret.'),
    status: z.enum(['active', 'disabled', 'expired']),
    expiresSoon: z.boolean(),
    secretIsOld: z.boolean(),
    scopes,
    models: z.array(z.string()),
    priority: z.enum(['high', 'normal', 'low']),
    limits: keyLimits,
    temporaryLimits: z
      .array(z.strictObject({ limits: keyLimits, userLimits: keyLimits.optional(), until: z.iso.datetime() }))
      .describe(
        'They take the place of `limits` and `userLimits` until they end; of several for the same thing the last one.',
      ),
    usersFrom: z
      .string()
      .optional()
      .describe('The header that tells the users of this key apart; absent if it is one client.'),
    userLimits: keyLimits.optional().describe('Of each of these users, within `limits`.'),
    created: nullable.time,
    expires: nullable.time,
    rotatingUntil: nullable.time.describe('Until this time the previous secret is accepted as well.'),
    note: nullable.text,
  }),
);

const warnings = z.array(z.string());

export const keyList = z.strictObject({
  keys: z.array(key),
  problem: nullable.text.describe('Why the current key file is not in effect.'),
  warnings,
  identities: z
    .strictObject({
      count,
      latest: z.array(z.strictObject({ id: z.string(), rule: nullable.text, lastSeen: time })),
    })
    .optional()
    .describe(
      'The latest 100 of those that signed in with tokens in the last 25 hours, where OIDC_ISSUER is set.',
    ),
});

export const reloaded = z.strictObject({ status: z.literal('ok'), keys_loaded: count, warnings });

export const requestList = z.strictObject({
  requests: z.array(
    component(
      'LiveRequest',
      z.strictObject({
        id: z.string().describe('The `x-request-id` of the request.'),
        method: z.string(),
        path: z.string(),
        address: z.string(),
        key: nullable.text,
        user: z
          .string()
          .optional()
          .describe('A hash that identifies the user, for keys that tell their users apart.'),
        model: nullable.text,
        stream: z.boolean().nullable(),
        state: z.enum(['waiting', 'running']),
        ageMs: ms,
        queuedMs: ms,
        tokens: count.describe('Tokens generated so far.'),
      }),
    ),
  ),
});

export const cancelled = z.strictObject({
  id: z.string(),
  cancelled: z.int().positive().describe('The number of cancelled requests: several may have the same id.'),
});

const totals = {
  requests: count,
  errors: count,
  inputTokens: count,
  cacheHits: count.describe('Requests answered from the response cache, without tokens.'),
  cachedTokens: count.describe('The part of the input that came from the prompt cache.'),
  outputTokens: count,
  queueSeconds: z.number().nonnegative(),
  computeSeconds: z.number().nonnegative(),
  machineSeconds: z
    .number()
    .nonnegative()
    .describe('The share of the machine: one of four slots for one second is 0.25.'),
  cost: nullable.number.describe('`machineSeconds` at `costPerHour`.'),
};

export const usageReport = z.strictObject({
  since: z.iso.date(),
  until: z.iso.date().nullable().describe('The first day that is not included.'),
  by: z.string(),
  costPerHour: nullable.number,
  usage: z.array(
    component(
      'UsageRow',
      z.strictObject({
        key: z.string().optional(),
        day: z.iso.date().optional(),
        month: z.string().optional(),
        model: z.string().optional(),
        user: z
          .string()
          .optional()
          .describe('A hash; `none`: requests without a user; `other`: users without a line of their own.'),
        ...totals,
        lastUsed: nullable.time.optional(),
      }),
    ),
  ),
  total: component('UsageTotals', z.strictObject(totals)),
  problem: nullable.text.describe('Why the usage ledger cannot be written.'),
});

export const restartRequest = z
  .record(z.string(), component('VariableValue', z.union([z.string(), z.number(), z.boolean(), z.null()])))
  .describe('Variables to change, such as `{"CTX": 8192}`; null unsets one.');

export const restartAccepted = z.strictObject({
  standing: z.literal('restarting'),
  changes: z.array(z.string()),
  message: z.string(),
});

/** OpenAI's error object: exactly these four fields, `code` never a number. */
export const errorObject = component(
  'ErrorObject',
  z.strictObject({
    message: z.string().min(1),
    type: z.string().regex(/^[a-z_]+$/),
    param: z.string().nullable(),
    code: z
      .string()
      .regex(/^[a-z_]+$/)
      .nullable(),
  }),
);

export const errorEnvelope = z.strictObject({ error: errorObject });
