import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { safeFileName } from '../fs/safe-file-name.ts';

/** An unexpected exit of a child, as written to `$DATA_DIR/crashes`. It contains no secrets. */
export interface CrashRecord {
  /** ISO 8601. */
  readonly at: string;
  readonly who: 'llama-server' | 'gateway';
  /** The id of the engine, where several models are served. */
  readonly engine?: string;
  /** One of the classes in docs/operations.md. */
  readonly class: string;
  readonly cure: string;
  readonly code: number | null;
  readonly signal: string | null;
  readonly ranForMs: number;
  /** It had been ready since its start. */
  readonly wasReady: boolean;
  /** Null if it was not restarted. */
  readonly restartInMs: number | null;
  /** The line of its output that explains most. */
  readonly tellingLine: string | null;
  readonly lastLines: readonly string[];
  readonly command: string;
  readonly arguments: readonly string[];
  readonly versions: Readonly<Record<string, string | null>>;
}

export const crashFolder = (dataDir: string) => join(dataDir, 'crashes');

/** The recorded crashes, newest first. Foreign and incomplete files are skipped. */
export async function readCrashes(dataDir: string): Promise<CrashRecord[]> {
  const folder = crashFolder(dataDir);
  const names = await readdir(folder).catch(() => []);
  const records = await Promise.all(
    crashFilesNewestFirst(names).map((name) => readRecord(join(folder, name))),
  );
  return records.filter((record) => record !== undefined);
}

const shape = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z-[\w-]+\.json$/;

/** The crash files among these names. Each starts with its time, in a format that sorts by time. */
export function crashFilesNewestFirst(names: readonly string[]): string[] {
  return names
    .filter((name) => shape.test(name))
    .sort()
    .reverse();
}

export function crashFileName({ at, who, engine }: Pick<CrashRecord, 'at' | 'who' | 'engine'>): string {
  const what = engine === undefined ? who : `${who}-${safeFileName(engine)}`;
  return `${at.replaceAll(':', '-')}-${what}.json`;
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
