import { fstatSync, writeSync } from 'node:fs';

/** What is kept for a reader that has stopped reading; what comes then is lost, rather than anybody's memory or time. */
const MOST_KEPT = 8 * 1024 ** 2;

/**
 * Writes to stdout so that nobody waits for it. A pipe takes at once what fits into it, the rest later. A reader that has
 * gone and a disk that is full cost the lines, and nothing else.
 */
export function createStdoutWriter(): (text: string) => void {
  if (isFile()) return writeToFile;
  const { stdout } = process;
  stdout.on('error', () => {});
  return (text) => {
    if (stdout.writable && stdout.writableLength < MOST_KEPT) stdout.write(text);
  };
}

/** How long a process that is done waits for its last lines to be read, ms. */
const TIME_TO_BE_READ = 1000;

/**
 * To be called when all else is done. Lines that nobody reads would keep the process alive for as long as their reader
 * lives; so whatever is unread a second later is lost, and the process ends with the status that was set.
 */
export function exitWithoutReader(): void {
  setTimeout(() => process.exit(), TIME_TO_BE_READ).unref();
}

/** Node's own stream would be closed for good by a disk that is full for a moment. */
function writeToFile(text: string): void {
  try {
    writeSync(1, text);
  } catch {
    // The next line may find room.
  }
}

function isFile(): boolean {
  try {
    return fstatSync(1).isFile();
  } catch {
    return false;
  }
}
