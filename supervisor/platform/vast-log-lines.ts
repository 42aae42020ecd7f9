import type { Platform } from './platform.ts';

/**
 * Vast's PyWorker learns from the log of a server when it is ready and when it has failed, by words that stand at the begin
 * of a line (its `on_load` and `on_error`). These have spaces, which no path of a request shows as they are.
 */
export const vastLogLines = {
  ready: 'llama-corral is ready',
  failed: 'llama-corral has failed:',
} as const;

/** Says such a line where somebody looks for it. */
export function writeVastLine(platform: Platform, say: (words: string) => void, line: string): void {
  if (platform === 'vast') say(line);
}
