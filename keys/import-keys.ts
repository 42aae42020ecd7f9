import type { Key } from './key.ts';
import type { ParsedLine } from './legacy-lines.ts';

/** What became of one line. */
export interface ImportResult {
  readonly line: number;
  readonly id?: string;
  readonly outcome: 'imported' | 'unchanged' | 'skipped';
  readonly reason?: string;
}

/** Adds the keys of the ancestor's lines to those there are, of which none is changed. */
export function importKeys(
  there: readonly Key[],
  readings: readonly ParsedLine[],
): { keys: readonly Key[]; fates: readonly ImportResult[] } {
  const keys = [...there];
  const fates = readings.map((reading): ImportResult => {
    const { line } = reading;
    if ('problem' in reading) return { line, outcome: 'skipped', reason: reading.problem };
    const { id } = reading.key;
    const fate = fateBeside(keys, reading.key);
    if (fate.outcome === 'imported') keys.push(reading.key);
    return { line, id, ...fate };
  });
  return { keys, fates };
}

function fateBeside(keys: readonly Key[], { id, fingerprint }: Key): Omit<ImportResult, 'line' | 'id'> {
  const holder = keys.find((key) => [key.fingerprint, key.previous?.fingerprint].includes(fingerprint));
  if (holder?.id === id) return { outcome: 'unchanged', reason: 'already imported' };
  if (holder) return { outcome: 'skipped', reason: `"${holder.id}" has the same secret` };
  if (keys.some((key) => key.id === id)) {
    return { outcome: 'skipped', reason: 'a key with this id and another secret exists: rename this one' };
  }
  return { outcome: 'imported' };
}
