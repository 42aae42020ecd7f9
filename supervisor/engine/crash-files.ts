import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../fs/make-folder.ts';
import {
  type CrashRecord,
  crashFileName,
  crashFilesNewestFirst,
  crashFolder,
} from '../../health/crash-records.ts';
import type { Log } from '../../log/create-log.ts';

export interface CrashStore {
  /** The file of the newest record; undefined where there is none, or it could not be written. */
  readonly newest: string | undefined;
  /** Returns at once. Where the record cannot be written the log says so, once until one can be written again. */
  keep(record: CrashRecord): void;
  /** Settles when all is written, or `patienceMs` are over: a disk that hangs must hold nobody up. */
  settled(patienceMs: number): Promise<void>;
}

const mostKept = 20;

/** Keeps the newest crashes as files in `$DATA_DIR/crashes`. */
export function createCrashStore(dataDir: string, log: Log): CrashStore {
  const folder = crashFolder(dataDir);
  let underWay = Promise.resolve();
  let isWarned = false;
  let newest: string | undefined;

  async function write(record: CrashRecord): Promise<void> {
    newest = undefined;
    try {
      await writeWhole(folder, crashFileName(record), `${JSON.stringify(record, null, 2)}\n`);
      newest = join(folder, crashFileName(record));
      await forgetOldest(folder);
      isWarned = false;
    } catch (error) {
      if (!isWarned) log.warn(`crashes cannot be kept in ${folder}: ${(error as Error).message}`);
      isWarned = true;
    }
  }

  return {
    get newest() {
      return newest;
    },
    keep(record) {
      underWay = underWay.then(() => write(record));
    },
    async settled(patienceMs) {
      const patience = Promise.withResolvers<void>();
      const timer = setTimeout(patience.resolve, patienceMs);
      await Promise.race([underWay, patience.promise]);
      clearTimeout(timer);
    },
  };
}

async function writeWhole(folder: string, name: string, text: string): Promise<void> {
  makeFolder(folder, 0o700);
  const draft = join(folder, `${name}.new`);
  try {
    await writeFile(draft, text, { mode: 0o600, flush: true });
    await rename(draft, join(folder, name));
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    throw error;
  }
}

/** Drafts that a power cut has left go, too. */
async function forgetOldest(folder: string): Promise<void> {
  const names = await readdir(folder);
  const old = crashFilesNewestFirst(names).slice(mostKept);
  const drafts = names.filter((name) => name.endsWith('.json.new'));
  await Promise.all([...old, ...drafts].map((name) => rm(join(folder, name), { force: true })));
}
