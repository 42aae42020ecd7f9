import { setTimeout as sleep } from 'node:timers/promises';

/** How many rows one transaction removes: others wait for it, the gateway with all its streams. */
export const SLICE = 200;
/** Between two transactions, ms: long enough for those who wait, in other processes and in this one. */
const PAUSE = 5;

/** Does one slice after the other until one says that there is no more to do. */
export async function inSlices(slice: () => boolean): Promise<void> {
  while (slice()) await sleep(PAUSE);
}
