import { setTimeout as sleep } from 'node:timers/promises';
import type { HealthSnapshot } from '../health/answers.ts';
import type { Backend } from '../health/backend.ts';
import type { HealthServer } from '../health/health-server.ts';
import type { GatewayMessage } from '../health/house-messages.ts';
import type { Log } from '../log/create-log.ts';
import type { Logs } from '../log/open-logs.ts';
import { followUnforeseen } from '../log/unforeseen.ts';
import { makeBackendKey } from './backend-key.ts';
import type { BootTimes } from './boot.ts';
import { bootTable } from './boot-table.ts';
import type { Child } from './child.ts';
import type { SupervisorConfig } from './config.ts';
import { type CrashFiles, keepCrashFiles } from './crash-files.ts';
import { crashRecord } from './crash-record.ts';
import type { Engine } from './engine.ts';
import { startEngineChild } from './engine-child.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { failureWords, tellEnd } from './failure-words.ts';
import { forbidCoreFiles } from './forbid-core-files.ts';
import { type Command, gatewayProgram, startGatewayChild } from './gateway-child.ts';
import { noticeAfterMs } from './gateway-silence.ts';
import { type House, type HouseFailure, openHouse, type Ready } from './house.ts';
import { stopCallFor } from './instance-api.ts';
import { tellTrouble, tendQueueWorker } from './queue-worker-child.ts';
import { makeRuntimeDir, type RuntimeDir, sweepRuntimeDirs } from './runtime-dir.ts';
import { shutDown } from './shutdown.ts';
import { followSignals } from './signals.ts';
import { Steward } from './steward.ts';
import { stopInstance } from './stop-instance.ts';
import type { Tended } from './tend.ts';
import { replacedGraceMs } from './tend-engine.ts';
import { tellWorker, workerLines } from './worker-lines.ts';

export interface SuperviseOptions {
  /** What preflight has found good. */
  readonly config: SupervisorConfig;
  readonly engine: Engine;
  readonly log: Log;
  /** The stream of lines that `log` belongs to. */
  readonly logs: Logs;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Already listening; its owner closes it. */
  readonly health?: HealthServer | undefined;
  /** Called once, when the first token has come out of the engine and the gateway answers. */
  readonly onReady?: ((ready: Ready) => void) | undefined;
  readonly gatewayCommand?: Command;
}

/** For the gateway to hear that the engine is lost, and to tell its clients so, before the signals that end it. */
const timeToHearMs = 100;

/** What a disk that hangs may hold up our end. */
const patienceWithDiskMs = 2000;

/** Why it ends, and of a failure what is to be said of it at last. */
interface Outcome {
  readonly reason: Reason;
  readonly words?: string;
}

type Reason = 'asked' | 'idle' | 'broken' | 'queue-worker-failed' | HouseFailure;

/** Runs llama-server and the gateway until a signal or a failure ends them; answers the exit code of the process. */
export async function supervise(options: SuperviseOptions): Promise<ExitCode> {
  const { config, log } = options;
  if (!config.settings.CORE_DUMPS) await forbidCoreFiles((words) => log.warn(words));
  for (const pid of sweepRuntimeDirs()) log.warn({ pid }, 'ended a child that a killed supervisor had left');
  const runtimeDir = makeRuntimeDir();
  const backend = { address: backendAddress(config, runtimeDir), apiKey: makeBackendKey() };
  const queueWorkerKey = config.takesJobs ? makeBackendKey() : undefined;
  const hurry = new AbortController();
  const outcome = Promise.withResolvers<Outcome>();

  let house: House | undefined;
  let queueWorker: Tended | undefined;
  const endChildren = () => {
    queueWorker?.child?.kill();
    house?.engine.child?.kill();
    house?.gateway.child?.kill();
    runtimeDir.remove();
  };
  process.once('exit', endChildren);
  // Before there are children: a signal that nobody follows ends a process on the spot.
  const unfollow = followSignals({
    onStop: () => outcome.resolve({ reason: 'asked' }),
    onHurry: () => hurry.abort(),
    onReload: () => house?.reloadKeys(),
  });
  const forget = followUnforeseen(log, () => outcome.resolve({ reason: 'broken' }));
  const steward = new Steward({
    ...options,
    replaceEngine: () => house?.engine.replace(replacedGraceMs),
    tellGateway: (message) => house?.gateway.child?.send(message),
    onChange: () => house?.refresh(),
    onCulprit: (ends) => house?.pardonEngine(ends),
    onIdle: () => outcome.resolve({ reason: 'idle' }),
  });
  const crashFiles = keepCrashFiles(config.dataDir, log);
  const noted = (child: Child) => {
    if (child.pid !== undefined) runtimeDir.noteChild(child.pid);
    return child;
  };
  const parts = { backend, queueWorkerKey, noted, steward, crashFiles, conclude: outcome.resolve };
  // In one go: nothing of what it starts can speak before it is known here.
  house = open(options, parts);
  const { snapshot } = house;
  queueWorker = queueWorkerKey === undefined ? undefined : openQueueWorker(options, queueWorkerKey, parts);
  options.health?.show(() => withDetails(snapshot(), steward.details));

  const { reason, words = '' } = await outcome.promise;
  if (reason === 'asked') log.info('stopping: running requests may finish');
  else if (reason === 'broken') log.error('stopping after an error of our own: running requests may finish');
  else if (reason === 'idle') log.info('stopping: nobody has asked for anything for IDLE_SHUTDOWN_SECONDS');
  else {
    if (queueWorker) await tellTrouble(queueWorker, { check: reason, reason: words });
    await sleep(timeToHearMs);
    hurry.abort();
  }
  steward.stop();
  house.beginStopping();
  const { engine, gateway } = house;
  await shutDown({
    queueWorker,
    engine,
    gateway,
    drainTimeoutMs: config.drainTimeoutMs,
    hurry: hurry.signal,
  });
  house.close();
  await crashFiles.settled(patienceWithDiskMs);
  if (reason === 'idle') await stopMachine(options);
  unfollow();
  forget();
  process.off('exit', endChildren);
  runtimeDir.remove();
  const code = exitCodeFor(reason);
  tellLast(log, { words, code, file: crashFiles.newest });
  return code;
}

function backendAddress({ backendPort }: SupervisorConfig, { socketPath }: RuntimeDir): Backend['address'] {
  return backendPort === undefined
    ? { origin: 'http://llama-server', socketPath }
    : { origin: `http://127.0.0.1:${backendPort}`, socketPath: undefined };
}

function withDetails(snapshot: HealthSnapshot, details: HealthSnapshot['details']): HealthSnapshot {
  return { ...snapshot, details: { ...snapshot.details, ...details } };
}

/** After our own end in order, as the platform's may come at any moment once it is asked for. */
async function stopMachine({ config, env, log }: SuperviseOptions): Promise<void> {
  const call = stopCallFor(config, env);
  if (call) await stopInstance(call, log);
}

interface HouseParts {
  readonly backend: Backend & { readonly apiKey: string };
  readonly queueWorkerKey: string | undefined;
  /** Writes a child down, for the case that we are killed. */
  readonly noted: (child: Child) => Child;
  readonly steward: Steward;
  readonly crashFiles: CrashFiles;
  readonly conclude: (outcome: Outcome) => void;
}

function open(
  { config, engine, log, logs, env, onReady, gatewayCommand = gatewayProgram }: SuperviseOptions,
  { backend, queueWorkerKey, noted, steward, crashFiles, conclude }: HouseParts,
): House {
  const [engineLog, gatewayLog] = [logs.of('llama-server'), logs.of('gateway')];
  let build: string | undefined;
  const startGateway = () => {
    const { config } = steward;
    const onMessage = (message: GatewayMessage) => steward.hear(message);
    const child = startGatewayChild({
      ...{ program: gatewayCommand, config, backend, queueWorkerKey, env },
      log: gatewayLog,
      passOn: logs.passOn,
      onMessage,
    });
    child.send(steward.orders);
    return noted(child);
  };
  return openHouse({
    ...config,
    backend,
    startEngine: (serves) =>
      noted(startEngineChild({ engine, config: steward.config, backend, env, serves, log: engineLog })),
    startGateway,
    followSleep: () => steward.orders.sleeps,
    isReplacing: () => steward.isReplacing,
    onEngineReady: () => steward.engineReady(),
    takeBack: (why, end) => steward.takeBack(why, end),
    onStanding: (standing) => log.info(`standing: ${standing}`),
    onReady(ready) {
      build = ready.facts?.buildInfo;
      tellBoot(log, config.settings.LOG_FORMAT, ready.boot);
      tellWorker(config.platform, logs.sayPlainly, workerLines.ready);
      onReady?.(ready);
    },
    onHung: () =>
      log.error(`llama-server hangs: no progress for HANG_TIMEOUT (${config.hangTimeoutMs / 1000} s)`),
    onGatewaySilent: (isSilent) =>
      isSilent
        ? log.warn(`the gateway has answered nobody for ${noticeAfterMs / 1000} s`)
        : log.info('the gateway answers again'),
    onGatewayHung: () =>
      log.error(`the gateway hangs: no answer for HANG_TIMEOUT (${config.hangTimeoutMs / 1000} s)`),
    onNoToken: (why) => log.warn(`llama-server is ready, and yet gave no first token: ${why}`),
    onStillLoading: (sinceMs) => log.info(`the model is loading, ${Math.round(sinceMs / 1000)} s so far`),
    onEnd(end) {
      tellEnd(log, end);
      crashFiles.keep(crashRecord(end, { at: new Date(), build }));
      if (end.who === 'gateway') steward.gatewayEnded();
    },
    onBlamelessEnd: () => steward.engineEndedBlamelessly(),
    onFailure(failure, last) {
      const words = failureWords(failure, last);
      if (failure !== 'gateway-failed') steward.engineLost();
      tellWorker(config.platform, logs.sayPlainly, `${workerLines.failed} ${words}`);
      conclude({ reason: failure, words });
    },
  });
}

function openQueueWorker(
  { config, log, logs, env }: SuperviseOptions,
  key: string,
  { noted, conclude }: Pick<HouseParts, 'noted' | 'conclude'>,
): Tended {
  const queueWorker = tendQueueWorker({
    ...{ ...config, env, key, log, noted },
    childLog: logs.of('runpod-worker'),
    passOn: logs.passOn,
    onFailure: (words) => conclude({ reason: 'queue-worker-failed', words }),
  });
  queueWorker.start();
  return queueWorker;
}

/** The last line: a log that ends otherwise was cut short. */
function tellLast(
  log: Log,
  { words, code, file }: { words: string; code: ExitCode; file: string | undefined },
) {
  if (code === exitCodes.stopped) return log.info('stopped');
  const details = words !== '' && file !== undefined ? [`details: ${file}`] : [];
  log.error([words || 'stopped', ...details, `exit status ${code}`].join('; '));
}

/** A table for people, the same as fields for machines. */
function tellBoot(log: Log, format: string, boot: BootTimes): void {
  if (format === 'text') log.info({ table: bootTable(boot) }, 'up');
  else log.info({ boot }, 'up');
}

function exitCodeFor(outcome: Reason): ExitCode {
  if (outcome === 'asked' || outcome === 'idle') return exitCodes.stopped;
  if (outcome === 'broken') return exitCodes.internal;
  if (outcome === 'queue-worker-failed') return exitCodes.queueWorkerFailed;
  return outcome === 'gateway-failed' ? exitCodes.gatewayFailed : exitCodes.engineFailed;
}
