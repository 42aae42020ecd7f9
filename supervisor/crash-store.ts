import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../fs/folders.ts';
import {
  type CrashRecord,
  crashFileName,
  crashFilesNewestFirst,
  crashFolder,
} from '../health/crash-records.ts';
import type { WarningLog } from '../log/create-log.ts';
import packageFile from '../package.json' with { type: 'json' };
import { crashHint, decisiveLine } from './engine/crash-class.ts';
import type { ChildCrash } from './events.ts';

export interface CrashStore {
  /** The file of the newest record; undefined if there is none or it could not be written. */
  readonly newest: string | undefined;
  /** Returns at once. A failure to write is logged once, until a record can be written again. */
  add(record: CrashRecord): void;
  /** Resolves when all records are written, or after `timeoutMs`: a hanging disk must not block the exit. */
  flush(timeoutMs: number): Promise<void>;
}

const maxRecords = 20;

/** Keeps the newest crashes as files in `$DATA_DIR/crashes`. */
export function createCrashStore(dataDir: string, log: WarningLog): CrashStore {
  const folder = crashFolder(dataDir);
  let pendingWrites = Promise.resolve();
  let isWarned = false;
  let newest: string | undefined;

  async function write(record: CrashRecord): Promise<void> {
    newest = undefined;
    try {
      await writeAtomically(folder, crashFileName(record), `${JSON.stringify(record, null, 2)}\n`);
      newest = join(folder, crashFileName(record));
      await removeOldest(folder);
      isWarned = false;
    } catch (error) {
      if (!isWarned) log.warn(`cannot write crash records to ${folder}: ${(error as Error).message}`);
      isWarned = true;
    }
  }

  return {
    get newest() {
      return newest;
    },
    add(record) {
      pendingWrites = pendingWrites.then(() => write(record));
    },
    async flush(timeoutMs) {
      const timeout = Promise.withResolvers<void>();
      const timer = setTimeout(timeout.resolve, timeoutMs);
      await Promise.race([pendingWrites, timeout.promise]);
      clearTimeout(timer);
    },
  };
}

async function writeAtomically(folder: string, name: string, text: string): Promise<void> {
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

/** Also removes drafts left by a power failure. */
async function removeOldest(folder: string): Promise<void> {
  const names = await readdir(folder);
  const old = crashFilesNewestFirst(names).slice(maxRecords);
  const drafts = names.filter((name) => name.endsWith('.json.new'));
  await Promise.all([...old, ...drafts].map((name) => rm(join(folder, name), { force: true })));
}

export interface CrashContext {
  readonly at: Date;
  /** The version that llama-server reports. */
  readonly build: string | undefined;
  /** The id of the engine, where several models are served. */
  readonly engine?: string | undefined;
}

/** The record of a crash. */
export function createCrashRecord(
  { who, exit, crash, model, wasReady, restartInMs }: ChildCrash,
  { at, build, engine }: CrashContext,
): CrashRecord {
  const [command = '', ...args] = exit.commandLine;
  return {
    at: at.toISOString(),
    who,
    ...(engine !== undefined && { engine }),
    class: crash,
    cure: crashHint({ who, crash, model }),
    code: exit.code,
    signal: exit.signal,
    ranForMs: exit.ranForMs,
    wasReady,
    restartInMs: restartInMs === undefined ? null : Math.max(0, Math.round(restartInMs)),
    tellingLine: exit.spawnError?.message ?? decisiveLine(exit) ?? null,
    lastLines: exit.lastLines,
    command,
    arguments: args,
    versions: { corral: packageFile.version, node: process.version, 'llama-server': build ?? null },
  };
}
