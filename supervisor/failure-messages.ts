import type { Log } from '../log/create-log.ts';
import type { ChildCrash, DeploymentFailure, FatalCrash } from './deployment.ts';
import { decisiveLine } from './engine/crash-class.ts';
import { crashHint } from './engine/crash-hints.ts';
import { parseEngineLine } from './engine/engine-log.ts';
import type { ChildExit } from './process/child.ts';
import { type ExitHistory, noExits } from './process/restart-policy.ts';

/** What cannot go on, and what helps: in one sentence, for those who look after us and for the last line of the log. */
export function failureMessage(failure: DeploymentFailure, last?: FatalCrash): string {
  if (failure === 'load-timed-out')
    return 'giving up: the model did not load within LOAD_TIMEOUT: give it longer, or look at the disk it is read from';
  if (failure === 'is-router') return ROUTER;
  const who = last?.who ?? (failure === 'gateway-failed' ? 'gateway' : 'llama-server');
  const crash = last?.crash ?? 'unknown';
  return `giving up on ${articled(who)} ${afterHowMany(last?.history ?? noExits)} (${crash}): ${refusedArgument(last)}${crashHint(who, crash)}`;
}

/** The one line in which an argument stands that was not taken; of no other class one line tells so much. */
function refusedArgument(last: FatalCrash | undefined): string {
  const line = last?.crash === 'bad-arguments' ? decisiveLine(last.end) : undefined;
  return line === undefined ? '' : `“${line}”: `;
}

export function queueWorkerFailureMessage(history: ExitHistory): string {
  return `giving up on the worker of RunPod's queue ${afterHowMany(history)}: its last lines above say why`;
}

const articled = (who: ChildCrash['who']) => (who === 'gateway' ? 'the gateway' : who);

function afterHowMany({ ends, duringLoad }: ExitHistory): string {
  if (duringLoad !== undefined && duringLoad.count > 1)
    return `after ${duringLoad.count} failed loads in a row`;
  const [first = 0] = ends;
  const spanMs = (ends.at(-1) ?? first) - first;
  return ends.length > 1
    ? `after ${ends.length} crashes in ${Math.max(1, Math.round(spanMs / 1000))} s`
    : 'at its first start';
}

const ROUTER =
  'llama-server started as a router and serves no model of its own: set HF_REPO to a repository of one model, not of presets, and name one file with MODEL_PATH, MODEL_NAME or MODEL_URL otherwise; to use a router of your own, put `corral gateway` in front of it';

const shownLines = 10;

/**
 * Tells an end that nobody asked for: how, what may help, what it said last and nobody has seen yet,
 * what follows. Of one that is not started again the last line of the log says what may help.
 */
export function logCrash(log: Log, { who, end, crash, restartInMs }: Omit<ChildCrash, 'wasReady'>): void {
  const cure = restartInMs === undefined ? '' : `: ${crashHint(who, crash)}`;
  log.error(`${who} ended ${howOf(end)} (${crash}${cure})`);
  for (const line of shownOf(end)) if (!wasShown(log, who, line)) log.error(`${who} said: ${line}`);
  if (restartInMs !== undefined)
    log.warn(`${who} starts again in ${Math.max(0, Math.round(restartInMs / 100) / 10)} s`);
}

/** Each line has been in the log as it came, unless its level is not wanted there. */
function wasShown(log: Log, who: ChildCrash['who'], line: string): boolean {
  return log.isLevelEnabled(who === 'llama-server' ? parseEngineLine(line).level : 'warn');
}

/** The same for a child whose ends have no classes. Its lines come as warnings. */
export function logUnclassifiedCrash(log: Log, who: string, end: ChildExit): void {
  log.error(`${who} ended ${howOf(end)}`);
  if (log.isLevelEnabled('warn')) return;
  for (const line of shownOf(end)) log.error(`${who} said: ${line}`);
}

function howOf({ spawnError, signal, code }: ChildExit): string {
  return spawnError?.message ?? (signal ? `by ${signal}` : `with exit code ${code}`);
}

/** The last lines with something in them, after the one that says most, should it lie further back. */
function shownOf(end: ChildExit): readonly string[] {
  const last = end.lastLines.filter((line) => line.trim() !== '').slice(-shownLines);
  const telling = decisiveLine(end);
  return telling === undefined || last.includes(telling) ? last : [telling, ...last];
}
