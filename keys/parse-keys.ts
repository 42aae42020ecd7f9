import { type Fingerprint, type Key, KeyFileError } from './key.ts';
import { parseKeysJson } from './keys-json.ts';
import { type ParsedLine, parseInlineKeys, parseLegacyLines } from './legacy-lines.ts';

export interface ParsedKeys {
  readonly keys: readonly Key[];
  /** What was left out or has no effect, and why: each a sentence with its place. */
  readonly warnings: readonly string[];
}

/** Reads a key file in either form, told apart by content. Throws a KeyFileError where nothing can be made of it. */
export function parseKeys(text: string): ParsedKeys {
  if (isKeysJson(text)) {
    const { keys, warnings } = parseKeysJson(text);
    return { keys, warnings };
  }
  const read = gather(parseLegacyLines(text), 'line');
  const [first] = read.warnings;
  if (read.keys.length === 0 && first !== undefined) {
    throw new KeyFileError(`is not a key file, or has no valid line (${first})`);
  }
  return read;
}

/** Reads `API_KEYS`. */
export function parseApiKeysVariable(text: string): ParsedKeys {
  return gather(parseInlineKeys(text), 'API_KEYS, entry');
}

export function isKeysJson(text: string): boolean {
  return /^\uFEFF?\s*[{[]/.test(text);
}

/** The ancestor's rules: of two lines with one secret the first counts; of two with one id, the last has the say. */
function gather(readings: readonly ParsedLine[], place: string): ParsedKeys {
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
