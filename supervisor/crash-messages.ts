import type { Log } from '../log/create-log.ts';
import { crashHint, decisiveLine } from './engine/crash-class.ts';
import { parseEngineLine } from './engine/engine-log.ts';
import type { ChildCrash, DeploymentFailure, FatalCrash } from './events.ts';
import type { ChildExit } from './process/child.ts';
import { type ExitHistory, noExits } from './process/restart-policy.ts';

/**
 * Why the deployment cannot continue, and what helps: the last line of the log, also reported to RunPod and Vast. With several
 * models, `model` is the id of the one whose engine is given up.
 */
export function failureMessage(failure: DeploymentFailure, last?: FatalCrash, model?: string): string {
  if (failure === 'load-timed-out')
    return 'giving up: the model did not load within LOAD_TIMEOUT; raise LOAD_TIMEOUT, or check the disk it is read from';
  if (failure === 'is-router') return routerMessage(model);
  const who = last?.who ?? (failure === 'gateway-failed' ? 'gateway' : 'llama-server');
  const crash = last?.crash ?? 'unknown';
  const hint = crashHint({ who, crash, model });
  return `giving up on ${withArticle(who)} ${howOften(last?.history ?? noExits)} (${crash}): ${rejectedArgument(last)}${hint}`;
}

/** The line that names the rejected argument. For other classes, one line does not explain enough. */
function rejectedArgument(last: FatalCrash | undefined): string {
  const line = last?.crash === 'bad-arguments' ? decisiveLine(last.exit) : undefined;
  return line === undefined ? '' : `“${line}”: `;
}

export function queueWorkerFailureMessage(history: ExitHistory): string {
  return `giving up on the RunPod queue worker ${howOften(history)}: see its last output lines above`;
}

const withArticle = (who: ChildCrash['who']) => (who === 'gateway' ? 'the gateway' : who);

function howOften({ exits, loadFailures }: ExitHistory): string {
  if (loadFailures !== undefined && loadFailures.count > 1)
    return `after ${loadFailures.count} failed loads in a row`;
  const [first = 0] = exits;
  const spanMs = (exits.at(-1) ?? first) - first;
  return exits.length > 1
    ? `after ${exits.length} crashes in ${Math.max(1, Math.round(spanMs / 1000))} s`
    : 'at its first start';
}

function routerMessage(model: string | undefined): string {
  const remedy =
    model === undefined
      ? 'set HF_REPO to a repository with one model instead of presets, or name one file with MODEL_PATH, MODEL_NAME or MODEL_URL'
      : `set hf of "${model}" in models.json to a repository with one model instead of presets, or name one file with path, file or url`;
  return `llama-server started in router mode and serves no model itself: ${remedy}; to use your own router, run \`corral gateway\` in front of it`;
}

const maxOutputLines = 10;

/**
 * Logs an unexpected exit: how it ended, a hint, the output that is not in the log yet, and the restart. Without a
 * restart, the last line of the log has the hint.
 */
export function logCrash(log: Log, cause: Omit<ChildCrash, 'wasReady'>): void {
  const { who, exit, crash, restartInMs } = cause;
  const hint = restartInMs === undefined ? '' : `: ${crashHint(cause)}`;
  log.error(`${who} ${describeExit(exit)} (${crash}${hint})`);
  for (const line of lastOutput(exit)) if (!wasLogged(log, who, line)) log.error(`${who} output: ${line}`);
  if (restartInMs !== undefined)
    log.warn(`restarting ${who} in ${Math.max(0, Math.round(restartInMs / 100) / 10)} s`);
}

/** Each line was logged when it came, unless its level is disabled. */
function wasLogged(log: Log, who: ChildCrash['who'], line: string): boolean {
  return log.isLevelEnabled(who === 'llama-server' ? parseEngineLine(line).level : 'warn');
}

/** Exits of the gateway's clients have no classes. Their output is logged as warnings. */
export function logClientCrash(log: Log, who: 'queue worker' | 'runner', exit: ChildExit): void {
  log.error(`${who} ${describeExit(exit)}`);
  if (log.isLevelEnabled('warn')) return;
  for (const line of lastOutput(exit)) log.error(`${who} output: ${line}`);
}

function describeExit({ spawnError, signal, code }: ChildExit): string {
  if (spawnError) return `could not be started: ${spawnError.message}`;
  return signal ? `was terminated by ${signal}` : `exited with code ${code}`;
}

/** The last lines that are not empty, preceded by the decisive one if it is further back. */
function lastOutput(exit: ChildExit): readonly string[] {
  const last = exit.lastLines.filter((line) => line.trim() !== '').slice(-maxOutputLines);
  const decisive = decisiveLine(exit);
  return decisive === undefined || last.includes(decisive) ? last : [decisive, ...last];
}
