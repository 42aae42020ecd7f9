import { parseIsoTime } from './iso-time.ts';
import { isKeyId, type Key, keyDefaults, keyIdRule, newKeyScopes } from './key.ts';
import { fingerprint, secretHint } from './secret.ts';

/** The result for one line that is neither blank nor a comment. */
export type ParsedLine =
  | { readonly line: number; readonly key: Key }
  | { readonly line: number; readonly problem: string };

/**
 * Reads the key file of llama-gguf-inference: lines of the form `key_id:api_key[:rate_limit][:expiration]`, by its
 * rules. Secrets are hashed here. Problems quote nothing, because a misplaced value may be a secret.
 */
export function parseLegacyLines(text: string): ParsedLine[] {
  return entriesIn(text).map(({ line, entry }) => ({ line, ...readKey(entry) }));
}

/** The lines that are neither blank nor a comment. */
function entriesIn(text: string): { line: number; entry: string }[] {
  const lines = text
    .split(/\r\n|\n|\r/)
    .map((content, index) => ({ line: index + 1, entry: content.trim() }));
  return lines.filter(({ entry }) => entry !== '' && !entry.startsWith('#'));
}

/** The secrets of valid and of invalid lines, which must appear nowhere in output. */
export function secretsInLines(text: string): string[] {
  return entriesIn(text).map(({ entry }) => fieldsOf(entry)[1] ?? '');
}

/** The same for `API_KEYS`. */
export function secretsInInlineKeys(text: string): string[] {
  return secretsInLines(inlineAsLines(text));
}

/**
 * Reads `API_KEYS`: the same entries, separated by commas instead of line ends. `line` is their number. They cannot name
 * scopes, so they have those of a new key.
 */
export function parseInlineKeys(text: string): ParsedLine[] {
  return parseLegacyLines(inlineAsLines(text)).map((parsed) =>
    'key' in parsed ? { ...parsed, key: { ...parsed.key, scopes: newKeyScopes } } : parsed,
  );
}

const inlineAsLines = (text: string) => text.replaceAll(',', '\n');

function readKey(entry: string): { key: Key } | { problem: string } {
  const [id = '', secret = '', rate = '', expiration = ''] = fieldsOf(entry);
  const expires = expiration === '' ? null : parseIsoTime(expiration);
  if (!isKeyId(id)) {
    return { problem: `the key id ${keyIdRule}` };
  }
  if (!/^[\p{L}\p{N}_-]{16,128}$/u.test(secret)) {
    return { problem: 'the secret must be 16 to 128 letters, digits, - or _' };
  }
  if (rate !== '' && !/^\+?0*[1-9]\d{0,14}$/.test(rate)) {
    return { problem: 'the rate limit must be an integer > 0' };
  }
  if (expires === undefined) {
    return { problem: 'the expiration must be an ISO time such as 2027-01-31T12:00:00Z' };
  }
  const limits = rate === '' ? {} : { requestsPerMinute: Number(rate) };
  return {
    key: { ...keyDefaults, id, fingerprint: fingerprint(secret), hint: secretHint(secret), expires, limits },
  };
}

/** Splits at most three times: an expiration contains colons. */
function fieldsOf(entry: string): string[] {
  const [id, secret, rate, ...expiration] = entry.split(':');
  return [id, secret, rate, expiration.join(':')].map((field) => field?.trim() ?? '');
}

/** The result for one line. */
export interface ImportResult {
  readonly line: number;
  readonly id?: string;
  readonly outcome: 'imported' | 'unchanged' | 'skipped';
  readonly reason?: string;
}

/** Adds imported keys to the existing ones, none of which is changed. */
export function importKeys(
  there: readonly Key[],
  readings: readonly ParsedLine[],
): { keys: readonly Key[]; results: readonly ImportResult[] } {
  const keys = [...there];
  const results = readings.map((reading): ImportResult => {
    const { line } = reading;
    if ('problem' in reading) return { line, outcome: 'skipped', reason: reading.problem };
    const { id } = reading.key;
    const result = resultFor(keys, reading.key);
    if (result.outcome === 'imported') keys.push(reading.key);
    return { line, id, ...result };
  });
  return { keys, results };
}

function resultFor(keys: readonly Key[], { id, fingerprint }: Key): Omit<ImportResult, 'line' | 'id'> {
  const holder = keys.find((key) => [key.fingerprint, key.previous?.fingerprint].includes(fingerprint));
  if (holder?.id === id) return { outcome: 'unchanged', reason: 'already imported' };
  if (holder) return { outcome: 'skipped', reason: `"${holder.id}" has the same secret` };
  if (keys.some((key) => key.id === id)) {
    return { outcome: 'skipped', reason: 'a key with this id and another secret exists: rename this one' };
  }
  return { outcome: 'imported' };
}
