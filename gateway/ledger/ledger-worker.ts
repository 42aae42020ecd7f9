/** The thread that writes the ledger: a slow or stalled volume then holds up nobody's stream. */
import { parentPort, workerData } from 'node:worker_threads';
import { LedgerFile } from './ledger-file.ts';
import type { KeySeen, UsageRow } from './usage-batch.ts';

/** What the gateway asks of the thread. */
export type LedgerOrder =
  | { readonly order: 'write'; readonly rows: readonly UsageRow[]; readonly seen: readonly KeySeen[] }
  | { readonly order: 'close' };

/** What the thread answers: the rows of the day it was opened, then how each writing went. */
export type LedgerReport =
  | { readonly report: 'opened'; readonly today: readonly UsageRow[]; readonly seen: readonly KeySeen[] }
  | { readonly report: 'written' }
  | { readonly report: 'failed'; readonly why: string }
  | { readonly report: 'closed' };

export interface LedgerPlace {
  readonly path: string;
  readonly today: string;
  /** Days before this one are forgotten. */
  readonly keepFrom: string;
}

const place = workerData as LedgerPlace;
let file: LedgerFile | undefined;

/** Tells what the file holds before anything is added to it, so that nothing is counted twice. */
function open(): LedgerFile {
  const opened = new LedgerFile(place.path);
  opened.forgetBefore(place.keepFrom);
  tell({ report: 'opened', today: opened.usageSince(place.today), seen: opened.seen() });
  file = opened;
  return opened;
}

function carryOut(order: LedgerOrder): void {
  if (order.order === 'close') {
    file?.close();
    tell({ report: 'closed' });
  } else {
    (file ?? open()).write(order.rows, order.seen);
    tell({ report: 'written' });
  }
}

function tell(report: LedgerReport): void {
  parentPort?.postMessage(report);
}

function attempt(work: () => void): void {
  try {
    work();
  } catch (error) {
    file = undefined;
    tell({ report: 'failed', why: (error as Error).message });
  }
}

attempt(open);
parentPort?.on('message', (order: LedgerOrder) => attempt(() => carryOut(order)));
