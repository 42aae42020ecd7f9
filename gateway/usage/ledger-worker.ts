/** The thread that keeps the ledger: a slow or stalled volume then holds up nobody's stream. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { LedgerFile } from './ledger-file.ts';
import type { KeySeen, UsageRow } from './usage-batch.ts';
import type { UsageQuery } from './usage-report.ts';

/** What the gateway asks of the thread. */
export type LedgerCommand =
  | {
      readonly order: 'write';
      readonly rows: readonly UsageRow[];
      readonly seen: readonly KeySeen[];
      /** Days before this one are forgotten. */
      readonly keepFrom: string;
    }
  | { readonly order: 'read'; readonly question: UsageQuery }
  | { readonly order: 'close' };

/** What the thread answers: the rows of the day it was opened, then how each order went, in their order. */
export type LedgerReply =
  | { readonly report: 'opened'; readonly today: readonly UsageRow[]; readonly seen: readonly KeySeen[] }
  | { readonly report: 'written' }
  | { readonly report: 'read'; readonly rows: readonly UsageRow[] }
  | { readonly report: 'failed'; readonly order: LedgerCommand['order'] | 'open'; readonly why: string }
  | { readonly report: 'closed' };

export interface LedgerWorkerData {
  readonly path: string;
  readonly today: string;
}

const place = workerData as LedgerWorkerData;
let file: LedgerFile | undefined;
let keptFrom = '';

/** Tells what the file holds before anything is added to it, so that nothing is counted twice. */
function open(): LedgerFile {
  makeFolder();
  const opened = new LedgerFile(place.path);
  tell({ report: 'opened', today: opened.usageSince(place.today), seen: opened.seen() });
  file = opened;
  return opened;
}

/** One step only: where even its parent is missing, the way to it is somebody's mistake. */
function makeFolder(): void {
  try {
    mkdirSync(dirname(place.path));
  } catch {
    // It is there already, or opening the file will say what is wrong.
  }
}

function carryOut(order: LedgerCommand): void {
  switch (order.order) {
    case 'write':
      write(file ?? open(), order);
      tell({ report: 'written' });
      break;
    case 'read':
      tell({ report: 'read', rows: (file ?? open()).sums(order.question) });
      break;
    case 'close':
      file?.close();
      tell({ report: 'closed' });
  }
}

function write(into: LedgerFile, { rows, seen, keepFrom }: Extract<LedgerCommand, { order: 'write' }>): void {
  // First of all: rows that are written must not be reported as failed for another reason.
  if (keepFrom !== keptFrom) into.deleteBefore(keepFrom);
  keptFrom = keepFrom;
  into.write(rows, seen);
}

function tell(report: LedgerReply): void {
  parentPort?.postMessage(report);
}

function attempt(order: LedgerCommand['order'] | 'open', work: () => void): void {
  try {
    work();
  } catch (error) {
    letGo();
    tell({ report: 'failed', order, why: (error as Error).message });
  }
}

function letGo(): void {
  try {
    file?.close();
  } finally {
    file = undefined;
  }
}

attempt('open', open);
parentPort?.on('message', (order: LedgerCommand) => attempt(order.order, () => carryOut(order)));
