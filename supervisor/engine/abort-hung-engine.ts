import type { Child } from '../process/child.ts';

/** What llama-server may take to write down where it stands. */
const evidenceMs = 5000;

/**
 * Ends a hung child by SIGABRT, which shows in its last lines where it hangs. One that is stopped, or stuck inside a
 * driver, does not take that and is killed.
 */
export async function abortHungEngine(child: Child): Promise<void> {
  const patience = setTimeout(() => child.kill(), evidenceMs);
  child.signal('SIGABRT');
  await child.ended;
  clearTimeout(patience);
}
