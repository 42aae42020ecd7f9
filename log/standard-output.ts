import { fstatSync, writeSync } from 'node:fs';

/** Buffer for a slow reader. Lines beyond it are dropped, so that neither memory nor time is lost. */
const MAX_BUFFERED = 8 * 1024 ** 2;

/**
 * Writes to stdout without blocking. A pipe takes what fits at once and the rest later. A closed pipe or a full disk
 * only loses lines.
 */
export function createStdoutWriter(): (text: string) => void {
  if (isFile()) return writeToFile;
  const { stdout } = process;
  stdout.on('error', () => {});
  return (text) => {
    if (stdout.writable && stdout.writableLength < MAX_BUFFERED) stdout.write(text);
  };
}

/** How long an ending process waits for its last lines to be read, in ms. */
const EXIT_DELAY_MS = 1000;

/**
 * Call this last. Unread output would keep the process alive, so the process exits one second later, with
 * the status that was set.
 */
export function exitWithoutReader(): void {
  setTimeout(() => process.exit(), EXIT_DELAY_MS).unref();
}

/** Node's own stream would close for good when the disk is full for a moment. */
function writeToFile(text: string): void {
  try {
    writeSync(1, text);
  } catch {
    // The next line may succeed.
  }
}

function isFile(): boolean {
  try {
    return fstatSync(1).isFile();
  } catch {
    return false;
  }
}
