import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Option } from 'commander';
import { LedgerFile, ledgerFileName } from '../../gateway/usage/ledger-file.ts';
import type { KeySeen } from '../../gateway/usage/usage-batch.ts';
import { readSettings } from '../../settings/read-settings.ts';
import { resolveDataDir } from '../../supervisor/data-dir.ts';
import { writeStderr } from '../output.ts';

export function ledgerOption(): Option {
  return new Option('--ledger <path>', `usage ledger (default: ${ledgerFileName} in DATA_DIR)`);
}

/** The ledger a verb reads: the one named on the command line, else the one that the gateway writes. */
export function resolveLedger(named: string | undefined): string {
  return named ?? join(resolveDataDir(readSettings(process.env).settings.DATA_DIR), ledgerFileName);
}

/** SQLite's code for what a writer that was killed left behind, which only who may write can put right. */
const UNFINISHED_WRITING = 776;

/** Opens the ledger to read it, beside a running gateway. Throws, with the file's name, where it cannot be read. */
export function openLedger(path: string): LedgerFile {
  if (!existsSync(path)) throw new Error(`${path}: no usage ledger yet; the gateway creates it`);
  try {
    return checked(new LedgerFile(path, { readOnly: true }));
  } catch (error) {
    if ((error as { errcode?: number }).errcode === UNFINISHED_WRITING) return checked(new LedgerFile(path));
    throw new Error(`${path}: cannot be read (${(error as Error).message})`, { cause: error });
  }
}

/** SQLite looks into a file only when it is asked something. */
function checked(ledger: LedgerFile): LedgerFile {
  ledger.seen();
  return ledger;
}

/** When each key was last used; empty where there is no ledger, or none that can be read, which is then said. */
export function lastSeen(path: string): ReadonlyMap<string, KeySeen> {
  if (!existsSync(path)) return new Map();
  try {
    const ledger = openLedger(path);
    const seen = ledger.seen();
    ledger.close();
    return new Map(seen.map((one) => [one.keyId, one]));
  } catch (error) {
    writeStderr((error as Error).message);
    return new Map();
  }
}
