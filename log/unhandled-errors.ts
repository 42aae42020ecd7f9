import type { Log } from './create-log.ts';

let log: Log | undefined;
let count = 0;

/**
 * Logs and counts an error that no code has handled. The message is not logged, because it may quote a request (V8
 * does that). The stack shows where it was thrown.
 */
export function recordUnhandledError(error: unknown): void {
  count += 1;
  log?.error(errorLocation(error), 'unhandled error: please report it');
}

/** Number of unhandled errors of this process. */
export function countUnhandledErrors(): number {
  return count;
}

/**
 * Handles unhandled errors of the process. A rejected promise is logged and counted, and the process continues: one
 * bad request must not stop the service. After a thrown error the state is unknown, so `end` is called to shut down
 * in order. Returns a function that removes the handlers.
 */
export function handleUnhandledErrors(ownLog: Log, end: () => void): () => void {
  log = ownLog;
  const onThrown = (error: unknown) => {
    recordUnhandledError(error);
    process.exitCode = 1;
    end();
  };
  process.on('unhandledRejection', recordUnhandledError).on('uncaughtException', onThrown);
  return () => {
    log = undefined;
    process.off('unhandledRejection', recordUnhandledError).off('uncaughtException', onThrown);
  };
}

function errorLocation(error: unknown): {
  readonly error: string;
  readonly code?: string;
  readonly at: string;
} {
  if (!(error instanceof Error)) return { error: typeof error, at: 'unknown' };
  const { name, stack = '' } = error;
  const { code } = error as NodeJS.ErrnoException;
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  const at = frames.map((line) => line.trim().slice('at '.length)).join(' < ');
  return { error: name, ...(typeof code === 'string' && { code }), at };
}

/** V8's JSON errors quote some of the text between these quotes. */
const excerpt = /(?:\.\.\.)?".*?"(?:\.\.\.)? is not valid JSON/gs;

/** The message or stack of an error without the text that V8 quotes from invalid JSON: it may be a prompt. */
export function removeJsonExcerpts(text: string): string {
  return text.replace(excerpt, '… is not valid JSON');
}
