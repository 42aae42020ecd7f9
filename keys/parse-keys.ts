import { type Fingerprint, type Key, KeyFileError } from './key.ts';
import { type ParsedLine, parseInlineKeys, parseLegacyLines } from './legacy-lines.ts';

export interface ParsedKeys {
  readonly keys: readonly Key[];
  /** One sentence, with the place, for everything that was skipped or has no effect. */
  readonly warnings: readonly string[];
}

/**
 * Parses a key file. The format is recognized by its content. Throws a KeyFileError if nothing in it is valid. What reads
 * JSON is loaded with the first such file: it takes 5 MB, and keys may all be in `API_KEYS`.
 */
export async function parseKeys(text: string): Promise<ParsedKeys> {
  if (!isKeysJson(text)) return parseKeyLines(text);
  const { parseKeysJson } = await import('./keys-json.ts');
  const { keys, warnings } = parseKeysJson(text);
  return { keys, warnings };
}

/** Parses a key file of llama-gguf-inference. */
export function parseKeyLines(text: string): ParsedKeys {
  const read = mergeLines(parseLegacyLines(text), 'line');
  const [first] = read.warnings;
  if (read.keys.length === 0 && first !== undefined) {
    throw new KeyFileError(`is not a key file, or has no valid line (${first})`);
  }
  return read;
}

/** Parses the value of `API_KEYS`. */
export function parseApiKeysVariable(text: string): ParsedKeys {
  return mergeLines(parseInlineKeys(text), 'API_KEYS, entry');
}

export function isKeysJson(text: string): boolean {
  return /^\uFEFF?\s*[{[]/.test(text);
}

/**
 * The rules of llama-gguf-inference: if two lines have the same secret, the first one counts; if two have the same
 * id, the limit and expiry of the last one count.
 */
function mergeLines(readings: readonly ParsedLine[], place: string): ParsedKeys {
  const warnings: string[] = [];
  const bySecret = new Map<Fingerprint, Key>();
  const byId = new Map<string, Key>();
  for (const reading of readings) {
    if ('problem' in reading) {
      warnings.push(`${place} ${reading.line} is skipped: ${reading.problem}`);
    } else if (bySecret.has(reading.key.fingerprint)) {
      const owner = bySecret.get(reading.key.fingerprint)?.id;
      warnings.push(`${place} ${reading.line} is skipped: "${owner}" has the same secret`);
    } else {
      bySecret.set(reading.key.fingerprint, reading.key);
      byId.set(reading.key.id, reading.key);
    }
  }
  const keys = [...bySecret.values()].map((key) => {
    const { limits, expires } = byId.get(key.id) ?? key;
    return { ...key, limits, expires };
  });
  return { keys, warnings };
}
