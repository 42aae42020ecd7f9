import { closeSync, openSync } from 'node:fs';
import { classifySignal } from './classify-signal.ts';

export interface SignalHandlers {
  readonly onStop: () => void;
  /** Somebody has asked a second time. */
  readonly onHurry: () => void;
  readonly onReload: () => void;
}

/** Follows the signals of this process until the answered function is called. */
export function handleSignals({ onStop, onHurry, onReload }: SignalHandlers): () => void {
  let askedAt: number | undefined;
  const stop = () => {
    const now = performance.now();
    const wish = classifySignal(askedAt, now);
    if (wish === 'echo') return;
    askedAt = now;
    if (wish === 'stop') onStop();
    else onHurry();
  };
  const hangUp = () => (terminalIsGone() ? stop() : onReload());
  process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', hangUp).on('SIGXFSZ', goOn);
  return () => {
    process.off('SIGTERM', stop).off('SIGINT', stop).off('SIGHUP', hangUp).off('SIGXFSZ', goOn);
  };
}

/**
 * Beyond a file-size limit a write fails, which is dealt with where it is made. Node ignores the signal that comes with it
 * until a library (signal-exit, of execa) has followed it and let it go; then it would end us.
 */
const goOn = () => {};

/** SIGHUP means that the keys are to be read again, except where it is the end of the terminal that we run in. */
function terminalIsGone(): boolean {
  if (!process.stdout.isTTY) return false;
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return false;
  } catch {
    return true;
  }
}
