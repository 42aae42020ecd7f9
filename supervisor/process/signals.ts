import { closeSync, openSync } from 'node:fs';

export interface SignalHandlers {
  readonly onStop: () => void;
  /** A second request to stop. */
  readonly onForce: () => void;
  readonly onReload: () => void;
}

/** Handles the signals of this process until the returned function is called. */
export function handleSignals({ onStop, onForce, onReload }: SignalHandlers): () => void {
  let lastAt: number | undefined;
  const stop = () => {
    const now = performance.now();
    const meaning = classifySignal(lastAt, now);
    if (meaning === 'duplicate') return;
    lastAt = now;
    if (meaning === 'stop') onStop();
    else onForce();
  };
  const hangUp = () => (isTerminalGone() ? stop() : onReload());
  process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', hangUp).on('SIGXFSZ', ignore);
  return () => {
    process.off('SIGTERM', stop).off('SIGINT', stop).off('SIGHUP', hangUp).off('SIGXFSZ', ignore);
  };
}

/** npm forwards the terminal's Ctrl-C, which we have received already: signals this close together count as one. */
export const duplicateSignalMs = 300;

/** The meaning of a stop signal after an earlier one at `lastAt`. */
export function classifySignal(lastAt: number | undefined, now: number): 'stop' | 'force' | 'duplicate' {
  if (lastAt === undefined) return 'stop';
  return now - lastAt > duplicateSignalMs ? 'force' : 'duplicate';
}

/**
 * A write beyond a file-size limit fails, and the caller handles that. Node ignores the accompanying signal until a
 * library (signal-exit, used by execa) has handled and released it; then it would kill us.
 */
const ignore = () => {};

/** SIGHUP reloads the keys, unless it was sent because our terminal was closed. */
function isTerminalGone(): boolean {
  if (!process.stdout.isTTY) return false;
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return false;
  } catch {
    return true;
  }
}
