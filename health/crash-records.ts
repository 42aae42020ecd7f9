import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** An end of a child that nobody asked for, as it is kept in `$DATA_DIR/crashes`. It holds no secret. */
export interface CrashRecord {
  /** ISO 8601. */
  readonly at: string;
  readonly who: 'llama-server' | 'gateway';
  /** One of those in docs/operations.md. */
  readonly class: string;
  readonly cure: string;
  readonly code: number | null;
  readonly signal: string | null;
  readonly ranForMs: number;
  /** It had been ready since it was started. */
  readonly wasReady: boolean;
  /** Null where it was not started again. */
  readonly restartInMs: number | null;
  /** The line that says most. */
  readonly tellingLine: string | null;
  readonly lastLines: readonly string[];
  readonly command: string;
  readonly arguments: readonly string[];
  readonly versions: Readonly<Record<string, string | null>>;
}

export const crashFolder = (dataDir: string) => join(dataDir, 'crashes');

/** The crashes that are on record, newest first. Files that are none of ours, or torn, are passed over. */
export async function readCrashes(dataDir: string): Promise<CrashRecord[]> {
  const folder = crashFolder(dataDir);
  const names = await readdir(folder).catch(() => []);
  const records = await Promise.all(
    crashFilesNewestFirst(names).map((name) => readRecord(join(folder, name))),
  );
  return records.filter((record) => record !== undefined);
}

const shape = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z-[\w-]+\.json$/;

/** Those of the names that are crash files: each begins with its time, in an order that sorting keeps. */
export function crashFilesNewestFirst(names: readonly string[]): string[] {
  return names
    .filter((name) => shape.test(name))
    .sort()
    .reverse();
}

export function crashFileName({ at, who }: Pick<CrashRecord, 'at' | 'who'>): string {
  return `${at.replaceAll(':', '-')}-${who}.json`;
}

async function readRecord(file: string): Promise<CrashRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(file, 'utf8')) as Partial<CrashRecord>;
    return typeof record.at === 'string' && typeof record.class === 'string'
      ? (record as CrashRecord)
      : undefined;
  } catch {
    return undefined;
  }
}
