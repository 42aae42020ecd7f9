import type { Log } from '../log/create-log.ts';
import type { ChildEnd } from './child.ts';
import { tellingLine } from './crash-class.ts';
import { cureFor } from './crash-cures.ts';
import type { HouseEnd, HouseFailure } from './house.ts';

export const failureWords: Readonly<Record<HouseFailure | 'queue-worker-failed', string>> = {
  'engine-failed': 'llama-server will not be started again: its last lines above say why',
  'gateway-failed': 'the gateway will not be started again: its last lines above say why',
  'queue-worker-failed':
    "the worker of RunPod's queue will not be started again: its last lines above say why",
  'load-timed-out':
    'the model did not load within LOAD_TIMEOUT: give it longer, or look at the disk it is read from',
  'is-router':
    'llama-server started as a router and serves no model of its own: set HF_REPO to a repository of one model, not of presets, and name one file with MODEL_PATH, MODEL_NAME or MODEL_URL otherwise; to use a router of your own, put `corral gateway` in front of it',
};

const shownLines = 10;

/** Tells an end that nobody asked for: how, the last words, what follows, what may help. */
export function tellEnd(log: Log, { who, end, crash, restartInMs }: Omit<HouseEnd, 'wasReady'>): void {
  log.error(`${who} ended ${howOf(end)} (${crash}: ${cureFor(who, crash)})`);
  for (const line of shownOf(end)) log.error(`${who} said: ${line}`);
  if (restartInMs !== undefined)
    log.warn(`${who} starts again in ${Math.max(0, Math.round(restartInMs / 100) / 10)} s`);
}

/** The same for a child whose ends have no classes. */
export function crashWords(who: string, end: ChildEnd): readonly string[] {
  return [`${who} ended ${howOf(end)}`, ...shownOf(end).map((line) => `${who} said: ${line}`)];
}

function howOf({ spawnError, signal, code }: ChildEnd): string {
  return spawnError?.message ?? (signal ? `by ${signal}` : `with exit code ${code}`);
}

/** The last lines, after the one that says most, should it lie further back. */
function shownOf(end: ChildEnd): readonly string[] {
  const last = end.lastLines.slice(-shownLines);
  const telling = tellingLine(end);
  return telling === undefined || last.includes(telling) ? last : [telling, ...last];
}
