import * as z from 'zod';
import { isFingerprint } from './fingerprint.ts';
import { parseIsoTime } from './iso-time.ts';
import { type Fingerprint, type Key, KeyFileError, keyDefaults, priorities, scopes } from './key.ts';
import { isKeyId, keyIdRule } from './key-id.ts';
import { unknownFields } from './unknown-fields.ts';

/** A key file in our own form. Fields of the file that we do not know are in `further` and are written back. */
export interface KeyDocument {
  readonly keys: readonly Key[];
  readonly extraFields: Readonly<Record<string, unknown>>;
  /** Fields that have no effect, each a sentence. */
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
  limits: z
    .looseObject({
      requestsPerMinute: limit.optional(),
      tokensPerMinute: limit.optional(),
      tokensPerDay: limit.optional(),
      concurrent: limit.optional(),
    })
    .default({}),
  previous: z.looseObject({ fingerprint: print, validUntil: time }).nullable().default(keyDefaults.previous),
  note: z.string().default(keyDefaults.note),
});
const file = z.looseObject({ version: z.literal(1), keys: z.array(record) });

/** Throws a KeyFileError. */
export function parseKeysJson(text: string): KeyDocument {
  const content = parseJson(text);
  refuseNewer(content);
  const reading = file.safeParse(content);
  if (!reading.success) throw new KeyFileError(reading.error.issues.map((i) => tell(i, content)).join('; '));
  const { version: _, keys, ...further } = reading.data;
  refuseDuplicates(keys);
  return { keys, extraFields: further, warnings: unknownFields(keys, further) };
}

export function formatKeysJson({ keys, extraFields }: Omit<KeyDocument, 'warnings'>): string {
  return `${JSON.stringify({ version: 1, ...extraFields, keys: keys.map(toRecord) }, null, 2)}\n`;
}

/** A key as the file and `--json` show it: times in ISO form. */
export function toRecord(key: Key): Record<string, unknown> {
  const { id, fingerprint, hint, previous } = key;
  return {
    ...{ id, fingerprint, hint },
    ...key,
    created: showTime(key.created),
    expires: showTime(key.expires),
    previous: previous && { ...previous, validUntil: showTime(previous.validUntil) },
  };
}

function showTime(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}

/** V8 quotes the text in its messages, and somebody may have pasted a secret: only the place is told. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const place = /line \d+ column \d+/.exec(String(error))?.[0];
    throw new KeyFileError(`is not valid JSON${place ? ` (${place})` : ', or cut off'}`);
  }
}

function refuseNewer(content: unknown): void {
  const version = z.object({ version: z.int().min(2) }).safeParse(content).data?.version;
  if (version) {
    throw new KeyFileError(
      `has version ${version}, but this llama-corral supports version 1: update llama-corral, or restore the file`,
    );
  }
}

function tell({ path, message }: z.core.$ZodIssue, content: unknown): string {
  const place = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  const id = z
    .object({ keys: z.array(z.unknown()) })
    .transform(({ keys }) => keys[Number(path[1])])
    .pipe(z.object({ id: z.string() }))
    .safeParse(content).data?.id;
  return `${place.slice(1) || 'the file'}${id ? ` (key "${id}")` : ''}: ${message}`;
}

function refuseDuplicates(keys: readonly Key[]): void {
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
