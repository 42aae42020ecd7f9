import { z } from 'zod';

/** Answers of the gateway itself. */
const count = z.int().nonnegative();
const ms = z.int().nonnegative().describe('Milliseconds.');
const time = z.iso.datetime();
const nullable = {
  text: z.string().nullable(),
  count: count.nullable(),
  number: z.number().nonnegative().nullable(),
  time: time.nullable(),
};
const standing = z.enum(['starting', 'loading', 'ready', 'restarting', 'failed', 'draining']);

export const health = z.strictObject({
  status: standing,
  model: z.string().nullable().describe('Its foremost public name; null until the backend has told one.'),
  backend: z.strictObject({
    standing,
    since: time,
    sleeping: z.boolean().describe('It has given its memory back until the next request.'),
  }),
  queue: z.strictObject({ waiting: count }),
  slots: z.strictObject({ total: count, busy: count }),
  keys: z
    .strictObject({
      problem: z.boolean().describe('The key file cannot be used; the keys from before stay.'),
    })
    .optional(),
});

const scopes = z.array(z.enum(['inference', 'native', 'metrics', 'admin']));

const key = z.strictObject({
  id: z.string(),
  hint: nullable.text.describe('What can be shown of its secret.'),
  status: z.enum(['active', 'disabled', 'expired']),
  expiresSoon: z.boolean(),
  secretIsOld: z.boolean(),
  scopes,
  models: z.array(z.string()),
  priority: z.enum(['high', 'normal', 'low']),
  limits: z.strictObject({
    requestsPerMinute: count.optional(),
    tokensPerMinute: count.optional(),
    tokensPerDay: count.optional(),
    concurrent: count.optional(),
  }),
  created: nullable.time,
  expires: nullable.time,
  rotatingUntil: nullable.time.describe('Until then the secret from before the last rotation is good, too.'),
  note: nullable.text,
});

const warnings = z.array(z.string());

export const keyList = z.strictObject({
  keys: z.array(key),
  problem: nullable.text.describe('Why the key file as it stands is not in force.'),
  warnings,
});

export const reloaded = z.strictObject({ status: z.literal('ok'), keys_loaded: count, warnings });

export const requestList = z.strictObject({
  requests: z.array(
    z.strictObject({
      id: z.string().describe('Its `x-request-id`.'),
      method: z.string(),
      path: z.string(),
      address: z.string(),
      key: nullable.text,
      model: nullable.text,
      stream: z.boolean().nullable(),
      state: z.enum(['waiting', 'running']),
      ageMs: ms,
      queuedMs: ms,
      tokens: count.describe('Generated so far.'),
    }),
  ),
});

export const cancelled = z.strictObject({
  id: z.string(),
  cancelled: z.int().positive().describe('Clients may give one id to several requests.'),
});

const figures = {
  requests: count,
  errors: count,
  inputTokens: count,
  cachedTokens: count.describe('The part of the input that had not to be read again.'),
  outputTokens: count,
  queueSeconds: z.number().nonnegative(),
  computeSeconds: z.number().nonnegative(),
  machineSeconds: z.number().nonnegative().describe('One of four slots for a second is a quarter.'),
  cost: nullable.number.describe('`machineSeconds` at `costPerHour`.'),
};

export const usageReport = z.strictObject({
  since: z.iso.date(),
  by: z.enum(['key', 'day']),
  costPerHour: nullable.number,
  usage: z.array(
    z.strictObject({
      key: z.string().optional(),
      day: z.iso.date().optional(),
      ...figures,
      lastUsed: nullable.time.optional(),
    }),
  ),
  total: z.strictObject(figures),
  problem: nullable.text.describe('Why the ledger cannot be written.'),
});

export const restartRequest = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
  .describe('Variables to change, such as `{"CTX": 8192}`; null unsets one.');

export const restartAccepted = z.strictObject({
  standing: z.literal('restarting'),
  changes: z.array(z.string()),
  message: z.string(),
});

/** OpenAI's error object: exactly these four fields, `code` never a number. */
export const errorObject = z.strictObject({
  message: z.string().min(1),
  type: z.string().regex(/^[a-z_]+$/),
  param: z.string().nullable(),
  code: z
    .string()
    .regex(/^[a-z_]+$/)
    .nullable(),
});

export const errorEnvelope = z.strictObject({ error: errorObject });
