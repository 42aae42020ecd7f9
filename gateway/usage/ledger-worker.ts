/** The thread that writes the ledger, so that a slow or hung volume does not block the event loop. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import type { UserTokens } from './daily-users.ts';
import { LedgerFile } from './ledger-file.ts';
import type { KeySeen, UsageRow } from './usage-batch.ts';
import type { UsageQuery } from './usage-query.ts';

export type LedgerCommand =
  | {
      readonly command: 'write';
      readonly rows: readonly UsageRow[];
      readonly seen: readonly KeySeen[];
      /** Days before this one are deleted. */
      readonly keepFrom: string;
    }
  | { readonly command: 'read'; readonly query: UsageQuery }
  | { readonly command: 'close' };

/** First the rows of the current day when the file is opened, then one reply per command, in their order. */
export type LedgerReply =
  | {
      readonly reply: 'opened';
      readonly today: readonly UsageRow[];
      readonly users: readonly UserTokens[];
      readonly seen: readonly KeySeen[];
    }
  | { readonly reply: 'written' }
  | { readonly reply: 'read'; readonly rows: readonly UsageRow[] }
  | { readonly reply: 'failed'; readonly command: LedgerCommand['command'] | 'open'; readonly reason: string }
  | { readonly reply: 'closed' };

export interface LedgerWorkerData {
  readonly path: string;
  readonly today: string;
}

const { path, today } = workerData as LedgerWorkerData;
let file: LedgerFile | undefined;
let keptFrom = '';

/** Sends the contents of the file before anything is added to it, so that no usage is counted twice. */
function open(): LedgerFile {
  createFolder();
  const opened = new LedgerFile(path);
  send({
    ...{ reply: 'opened', today: opened.usageSince(today), users: opened.userTokensSince(today) },
    seen: opened.seen(),
  });
  file = opened;
  return opened;
}

/** Not recursive: if the parent is missing too, the path is probably a mistake. */
function createFolder(): void {
  try {
    mkdirSync(dirname(path));
  } catch {
    // It exists, or opening the file will report the error.
  }
}

function execute(command: LedgerCommand): void {
  switch (command.command) {
    case 'write':
      write(file ?? open(), command);
      send({ reply: 'written' });
      break;
    case 'read':
      send({ reply: 'read', rows: (file ?? open()).sums(command.query) });
      break;
    case 'close':
      file?.close();
      send({ reply: 'closed' });
      parentPort?.close();
  }
}

function write(
  into: LedgerFile,
  { rows, seen, keepFrom }: Extract<LedgerCommand, { command: 'write' }>,
): void {
  // Before the write: rows that have been written must not be reported as failed because the deletion failed.
  if (keepFrom !== keptFrom) into.deleteBefore(keepFrom);
  keptFrom = keepFrom;
  into.write(rows, seen);
}

function send(reply: LedgerReply): void {
  parentPort?.postMessage(reply);
}

function attempt(command: LedgerCommand['command'] | 'open', run: () => void): void {
  try {
    run();
  } catch (error) {
    closeFile();
    send({ reply: 'failed', command, reason: (error as Error).message });
  }
}

function closeFile(): void {
  try {
    file?.close();
  } finally {
    file = undefined;
  }
}

attempt('open', open);
parentPort?.on('message', (command: LedgerCommand) => attempt(command.command, () => execute(command)));
