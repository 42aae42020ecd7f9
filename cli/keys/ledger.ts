import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Option } from 'commander';
import { LedgerFile, ledgerFileName } from '../../gateway/usage/ledger-file.ts';
import type { KeySeen } from '../../gateway/usage/usage-batch.ts';
import { writeStderr } from '../output.ts';
import { inDataDir } from './options.ts';

export function ledgerOption(): Option {
  return new Option('--ledger <path>', `usage ledger (default: ${ledgerFileName} in DATA_DIR)`);
}

/** The ledger of a command: `--ledger`, else the one that the gateway writes. */
export function resolveLedger(named: string | undefined): string {
  return resolve(named ?? inDataDir(ledgerFileName));
}

/** SQLite's code for an unfinished write of a killed process. Only a writer can recover it. */
const UNFINISHED_WRITE = 776;

/** Opens the ledger for reading while a gateway may be running. Throws an error that names the file. */
export function openLedger(path: string): LedgerFile {
  if (!existsSync(path)) throw new Error(`${path}: no usage ledger yet; the gateway creates it`);
  try {
    return checked(new LedgerFile(path, { readOnly: true }));
  } catch (error) {
    if ((error as { errcode?: number }).errcode === UNFINISHED_WRITE) return checked(new LedgerFile(path));
    throw new Error(`${path}: cannot be read (${(error as Error).message})`, { cause: error });
  }
}

/** SQLite opens the file only with the first query. */
function checked(ledger: LedgerFile): LedgerFile {
  ledger.seen();
  return ledger;
}

/** When each key was last used. Empty if there is no ledger or it cannot be read; the latter is reported on stderr. */
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
