import * as z from 'zod';
import { findLostName } from '../json/lost-name.ts';
import { didYouMean, nearestName, withoutStyle } from '../settings/nearest-name.ts';
import { parseIsoTime } from './iso-time.ts';
import {
  type Fingerprint,
  isKeyId,
  type Key,
  KeyFileError,
  type KeyLimits,
  keyDefaults,
  keyIdRule,
  priorities,
  scopes,
} from './key.ts';
import { isFingerprint } from './secret.ts';
import { usersFromProblem } from './users.ts';

/**
 * The content of a key file in the JSON format. Unknown fields of the file are in `extraFields` and are written back.
 */
interface KeyDocument {
  readonly keys: readonly Key[];
  readonly extraFields: Readonly<Record<string, unknown>>;
  /** One sentence for each unknown field. */
  readonly warnings: readonly string[];
}

const time = z
  .string()
  .transform((text) => parseIsoTime(text))
  .pipe(z.number({ error: 'must be an ISO time such as 2027-01-31T12:00:00Z' }));
const print = z
  .string()
  .refine(isFingerprint, 'must be "sha256:" and 64 lower-case hexadecimal digits')
  .transform((text) => text as Fingerprint);
const limit = z.int({ error: 'must be an integer ≥ 0' }).min(0, 'must be an integer ≥ 0');

const keyLimits = z.looseObject({
  requestsPerMinute: limit.optional(),
  tokensPerMinute: limit.optional(),
  tokensPerDay: limit.optional(),
  concurrent: limit.optional(),
});
const temporaryLimits = z
  .looseObject({ limits: keyLimits.optional(), userLimits: keyLimits.optional(), until: time })
  .refine(({ limits, userLimits }) => limits ?? userLimits, 'needs "limits" or "userLimits"')
  .transform(({ limits = {}, ...one }) => ({ ...one, limits }));
const headerName = z.string().superRefine((name, context) => {
  const problem = usersFromProblem(name);
  if (problem !== undefined) context.addIssue(problem);
});

const record = z.looseObject({
  id: z.string().refine(isKeyId, keyIdRule),
  fingerprint: print,
  hint: z.string().default('…'),
  created: time.nullable().default(keyDefaults.created),
  expires: time.nullable().default(keyDefaults.expires),
  disabled: z.boolean().default(keyDefaults.disabled),
  cutOff: z.boolean().default(keyDefaults.cutOff),
  scopes: z.array(z.enum(scopes)).default([...keyDefaults.scopes]),
  models: z.array(z.string()).default([...keyDefaults.models]),
  priority: z.enum(priorities).default(keyDefaults.priority),
  limits: keyLimits.default({}),
  temporaryLimits: z.array(temporaryLimits).optional(),
  usersFrom: headerName.nullable().default(keyDefaults.usersFrom),
  userLimits: keyLimits.default({}),
  previous: z.looseObject({ fingerprint: print, validUntil: time }).nullable().default(keyDefaults.previous),
  note: z.string().default(keyDefaults.note),
});
const file = z.looseObject({ version: z.literal(1), keys: z.array(record) });

/** Throws a KeyFileError. */
export function parseKeysJson(text: string): KeyDocument {
  const content = parseJson(text);
  rejectNewerVersion(content);
  const reading = file.safeParse(content);
  if (!reading.success)
    throw new KeyFileError(reading.error.issues.map((i) => formatIssue(i, content)).join('; '));
  const { version: _, keys, ...further } = reading.data;
  rejectDuplicates(keys);
  return { keys, extraFields: further, warnings: [...lostNames(text), ...unknownFields(keys, further)] };
}

export function formatKeysJson({ keys, extraFields }: Omit<KeyDocument, 'warnings'>): string {
  return `${JSON.stringify({ version: 1, ...extraFields, keys: keys.map(toRecord) }, null, 2)}\n`;
}

/** A key as in the file and in `--json`: times in ISO format. */
export function toRecord(key: Key): Record<string, unknown> {
  const { id, fingerprint, hint, previous, temporaryLimits } = key;
  const { usersFrom, userLimits, ...withoutUsers } = key;
  return {
    ...{ id, fingerprint, hint },
    // Versions that do not know them would warn of each.
    ...(usersFrom === null && isEmpty(userLimits) ? withoutUsers : key),
    ...(temporaryLimits && {
      temporaryLimits: temporaryLimits.map((one) => ({ ...one, until: formatTime(one.until) })),
    }),
    created: formatTime(key.created),
    expires: formatTime(key.expires),
    previous: previous && { ...previous, validUntil: formatTime(previous.validUntil) },
  };
}

const isEmpty = (limits: KeyLimits) => Object.values(limits).every((limit) => limit === undefined);

function formatTime(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}

/** V8 quotes the text in its messages, and the text may contain a secret: report only the position. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const place = /line \d+ column \d+/.exec(String(error))?.[0];
    throw new KeyFileError(`is not valid JSON${place ? ` (${place})` : ', or cut off'}`);
  }
}

function rejectNewerVersion(content: unknown): void {
  const version = z.object({ version: z.int().min(2) }).safeParse(content).data?.version;
  if (version) {
    throw new KeyFileError(
      `has version ${version}, but this llama-corral supports version 1: update llama-corral, or restore the file`,
    );
  }
}

function formatIssue({ path, message }: z.core.$ZodIssue, content: unknown): string {
  const place = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  const id = z
    .object({ keys: z.array(z.unknown()) })
    .transform(({ keys }) => keys[Number(path[1])])
    .pipe(z.object({ id: z.string() }))
    .safeParse(content).data?.id;
  return `${place.slice(1) || 'the file'}${id ? ` (key "${id}")` : ''}: ${message}`;
}

function rejectDuplicates(keys: readonly Key[]): void {
  const ids = new Set<string>();
  const owners = new Map<Fingerprint, string>();
  for (const { id, fingerprint } of keys) {
    if (ids.has(id)) throw new KeyFileError(`two keys have the id "${id}": remove or rename one`);
    const owner = owners.get(fingerprint);
    if (owner)
      throw new KeyFileError(`the keys "${owner}" and "${id}" have the same fingerprint: remove one`);
    ids.add(id);
    owners.set(fingerprint, id);
  }
}

const limits = ['requestsPerMinute', 'tokensPerMinute', 'tokensPerDay', 'concurrent'];
const fields = ['id', 'fingerprint', 'hint', 'temporaryLimits', ...Object.keys(keyDefaults)];
const ofTemporaryLimits = ['limits', 'userLimits', 'until'];
const ofPrevious = ['fingerprint', 'validUntil'];

/** Names that other programs use for our fields, normalized by `withoutStyle`. */
const synonyms: Readonly<Record<string, string>> = {
  rpm: 'requestsPerMinute',
  ratelimit: 'requestsPerMinute',
  tpm: 'tokensPerMinute',
  tpd: 'tokensPerDay',
  maxconcurrent: 'concurrent',
  concurrency: 'concurrent',
  parallel: 'concurrent',
  enabled: 'disabled',
  active: 'disabled',
  revoked: 'disabled',
  blocked: 'disabled',
  expiration: 'expires',
  expiry: 'expires',
  expiresat: 'expires',
  expiresin: 'expires',
  validuntil: 'expires',
  createdat: 'created',
  name: 'id',
  keyid: 'id',
  hash: 'fingerprint',
  secret: 'fingerprint',
  key: 'fingerprint',
  allowedmodels: 'models',
  role: 'scopes',
  roles: 'scopes',
  permissions: 'scopes',
  comment: 'note',
  description: 'note',
};

const MAX_REPORTED = 50;

/**
 * One sentence for each unknown field of a key file. A misspelled limit has no effect, so the operator is warned.
 * Unknown fields stay in the file. Their values are not reported, as they may be secret.
 */
function unknownFields(keys: readonly Key[], further: Readonly<Record<string, unknown>>): string[] {
  const found: string[] = Object.keys(further).map(
    (name) =>
      `the key file has an unknown field ${quoted(name)}; it has no effect${comma(didYouMean(name, ['version', 'keys']))}`,
  );
  for (const key of keys) {
    const report = (name: string, place: string, known: readonly string[]) =>
      found.push(
        `key "${key.id}" has an unknown field ${quoted(name)}${place}; it has no effect${hintFor(name, known)}`,
      );
    for (const name of Object.keys(key)) if (!fields.includes(name)) report(name, '', fields);
    for (const name of Object.keys(key.limits))
      if (!limits.includes(name)) report(name, ' in its limits', limits);
    for (const name of Object.keys(key.userLimits))
      if (!limits.includes(name)) report(name, ' in its user limits', limits);
    const ofUsers = [key.userLimits, ...(key.temporaryLimits ?? []).map(({ userLimits = {} }) => userLimits)];
    if (key.usersFrom === null && !ofUsers.every(isEmpty))
      found.push(`key "${key.id}" has "userLimits", which have no effect without "usersFrom"`);
    for (const temporary of key.temporaryLimits ?? []) {
      for (const name of Object.keys(temporary))
        if (!ofTemporaryLimits.includes(name)) report(name, ' in its temporaryLimits', ofTemporaryLimits);
      for (const name of Object.keys({ ...temporary.limits, ...temporary.userLimits }))
        if (!limits.includes(name)) report(name, ' in its temporaryLimits', limits);
    }
    for (const name of Object.keys(key.previous ?? {}))
      if (!ofPrevious.includes(name)) report(name, ' in its "previous"', ofPrevious);
  }
  if (found.length <= MAX_REPORTED) return found;
  return [
    ...found.slice(0, MAX_REPORTED),
    `the key file has ${found.length - MAX_REPORTED} more unknown fields`,
  ];
}

/** Of a field that is there twice, one has no effect. */
function lostNames(text: string): string[] {
  const name = findLostName(text);
  if (name === undefined || name === '__proto__') return [];
  return [`the key file has the field ${quoted(name)} twice in one object; only the last counts`];
}

const comma = (hint: string | undefined) => (hint === undefined ? '' : `, ${hint}`);

/** Names may be arbitrary text: quote them and cut long ones. */
function quoted(name: string): string {
  return JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);
}

function hintFor(name: string, known: readonly string[]): string {
  const meant =
    synonyms[withoutStyle(name)] ?? nearestName(name, known) ?? nearestName(name, [...limits, ...fields]);
  if (meant === undefined) return '';
  const elsewhere = limits.includes(meant) ? ' in "limits"' : ' of the key itself';
  return `, did you mean "${meant}"${known.includes(meant) ? '' : elsewhere}?`;
}
