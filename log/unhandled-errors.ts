import type { Log } from './create-log.ts';

let log: Log | undefined;
let noted = 0;

/**
 * Takes an error that nobody was there for, such as one of work that nothing waits for. Of its words nothing is told:
 * they may quote a request (V8 does), and the log holds no prompt and no secret. Where it arose says enough.
 */
export function recordUnhandledError(error: unknown): void {
  noted += 1;
  log?.error(whereItArose(error), 'unhandled error: please report it');
}

/** How many of them there were in this process. */
export function countUnhandledErrors(): number {
  return noted;
}

/**
 * The last resort of a process. A rejected promise that nobody waits for is told and counted: the one piece of work is
 * lost, and whoever sent it must not be able to end the service for all others. After a thrown error nobody knows what
 * was left half done: `end` is called, which is to end the process in order. Answers how to leave this off.
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

function whereItArose(error: unknown): {
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

/** V8's errors about JSON hold some of the text that was read, between these quotes. */
const excerpt = /(?:\.\.\.)?".*?"(?:\.\.\.)? is not valid JSON/gs;

/** An error's words or its stack, without what V8 quotes of a text that was no JSON: that may be a prompt. */
export function removeJsonExcerpts(text: string): string {
  return text.replace(excerpt, '… is not valid JSON');
}
