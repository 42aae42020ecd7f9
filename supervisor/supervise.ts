import { setTimeout as sleep } from 'node:timers/promises';
import type { Backend } from '../health/backend.ts';
import type { HealthSnapshot } from '../health/health-response.ts';
import type { HealthServer } from '../health/health-server.ts';
import type { GatewayMessage } from '../health/supervisor-messages.ts';
import type { Log } from '../log/create-log.ts';
import type { Logs } from '../log/create-logs.ts';
import { handleUnhandledErrors } from '../log/unhandled-errors.ts';
import { createBackendKey } from './backend-key.ts';
import type { BootTimes } from './boot.ts';
import { formatBootTable } from './boot-table.ts';
import type { SupervisorConfig } from './config.ts';
import { type Deployment, type DeploymentFailure, type ReadyReport, startDeployment } from './deployment.ts';
import { type CrashStore, createCrashStore } from './engine/crash-files.ts';
import { createCrashRecord } from './engine/crash-record.ts';
import type { Engine } from './engine/installed-engine.ts';
import { spawnEngine } from './engine/spawn-engine.ts';
import { replacementGraceMs } from './engine-process.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { failureMessage, logCrash } from './failure-messages.ts';
import { unresponsiveAfterMs } from './gateway-hang.ts';
import { createStopCall } from './platform/stop-call.ts';
import { stopInstance } from './platform/stop-instance.ts';
import { vastLogLines, writeVastLine } from './platform/vast-log-lines.ts';
import type { Child } from './process/child.ts';
import { disableCoreFiles } from './process/core-files.ts';
import type { ManagedProcess } from './process/managed-process.ts';
import { createRuntimeDir, type RuntimeDir, removeStaleRuntimeDirs } from './process/runtime-dir.ts';
import { handleSignals } from './process/signals.ts';
import { reportUnhealthy, superviseQueueWorker } from './queue-worker.ts';
import { RestartController } from './restart-controller.ts';
import { shutDown } from './shutdown.ts';
import { type Command, defaultGatewayCommand, spawnGateway } from './spawn-gateway.ts';

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
  readonly onReady?: ((ready: ReadyReport) => void) | undefined;
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

type Reason = 'asked' | 'idle' | 'broken' | 'queue-worker-failed' | DeploymentFailure;

/** Runs llama-server and the gateway until a signal or a failure ends them; answers the exit code of the process. */
export async function supervise(options: SuperviseOptions): Promise<ExitCode> {
  const { config, log } = options;
  if (!config.settings.CORE_DUMPS) await disableCoreFiles((words) => log.warn(words));
  for (const pid of removeStaleRuntimeDirs())
    log.warn({ pid }, 'ended a child that a killed supervisor had left');
  const runtimeDir = createRuntimeDir();
  const backend = { address: backendAddress(config, runtimeDir), apiKey: createBackendKey() };
  const queueWorkerKey = config.runsQueueWorker ? createBackendKey() : undefined;
  const hurry = new AbortController();
  const outcome = Promise.withResolvers<Outcome>();

  let house: Deployment | undefined;
  let queueWorker: ManagedProcess | undefined;
  const endChildren = () => {
    queueWorker?.child?.kill();
    house?.engine.child?.kill();
    house?.gateway.child?.kill();
    runtimeDir.remove();
  };
  process.once('exit', endChildren);
  // Before there are children: a signal that nobody follows ends a process on the spot.
  const unfollow = handleSignals({
    onStop: () => outcome.resolve({ reason: 'asked' }),
    onHurry: () => hurry.abort(),
    onReload: () => house?.reloadKeys(),
  });
  const forget = handleUnhandledErrors(log, () => outcome.resolve({ reason: 'broken' }));
  const steward = new RestartController({
    ...options,
    replaceEngine: () => house?.engine.replace(replacementGraceMs),
    tellGateway: (message) => house?.gateway.child?.send(message),
    onChange: () => house?.refresh(),
    onCulprit: (ends) => house?.pardonEngine(ends),
    onIdle: () => outcome.resolve({ reason: 'idle' }),
  });
  const crashFiles = createCrashStore(config.dataDir, log);
  const noted = (child: Child) => {
    if (child.pid !== undefined) runtimeDir.noteChild(child.pid);
    return child;
  };
  const parts = { backend, queueWorkerKey, noted, steward, crashFiles, conclude: outcome.resolve };
  // In one go: nothing of what it starts can speak before it is known here.
  house = open(options, parts);
  const { snapshot } = house;
  queueWorker = queueWorkerKey === undefined ? undefined : openQueueWorker(options, queueWorkerKey, parts);
  options.health?.setSnapshotSource(() => withDetails(snapshot(), steward.details));

  const { reason, words = '' } = await outcome.promise;
  if (reason === 'asked') log.info('stopping: running requests may finish');
  else if (reason === 'broken') log.error('stopping after an error of our own: running requests may finish');
  else if (reason === 'idle') log.info('stopping: nobody has asked for anything for IDLE_SHUTDOWN_SECONDS');
  else {
    if (queueWorker) await reportUnhealthy(queueWorker, { check: reason, reason: words });
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
  const call = createStopCall(config, env);
  if (call) await stopInstance(call, log);
}

interface HouseParts {
  readonly backend: Backend & { readonly apiKey: string };
  readonly queueWorkerKey: string | undefined;
  /** Writes a child down, for the case that we are killed. */
  readonly noted: (child: Child) => Child;
  readonly steward: RestartController;
  readonly crashFiles: CrashStore;
  readonly conclude: (outcome: Outcome) => void;
}

function open(
  { config, engine, log, logs, env, onReady, gatewayCommand = defaultGatewayCommand }: SuperviseOptions,
  { backend, queueWorkerKey, noted, steward, crashFiles, conclude }: HouseParts,
): Deployment {
  const [engineLog, gatewayLog] = [logs.getLog('llama-server'), logs.getLog('gateway')];
  let build: string | undefined;
  const startGateway = () => {
    const { config } = steward;
    const onMessage = (message: GatewayMessage) => steward.hear(message);
    const child = spawnGateway({
      ...{ program: gatewayCommand, config, backend, queueWorkerKey, env },
      log: gatewayLog,
      passOn: logs.forward,
      onMessage,
    });
    child.send(steward.orders);
    return noted(child);
  };
  return startDeployment({
    ...config,
    backend,
    startEngine: (serves) =>
      noted(spawnEngine({ engine, config: steward.config, backend, env, serves, log: engineLog })),
    startGateway,
    followSleep: () => steward.orders.maySleep,
    isReplacing: () => steward.isReplacing,
    onEngineReady: () => steward.engineReady(),
    takeBack: (why, end) => steward.takeBack(why, end),
    onStanding: (standing) => log.info(`standing: ${standing}`),
    onReady(ready) {
      build = ready.props?.buildInfo;
      tellBoot(log, config.settings.LOG_FORMAT, ready.boot);
      writeVastLine(config.platform, logs.writeRaw, vastLogLines.ready);
      onReady?.(ready);
    },
    onHung: () =>
      log.error(`llama-server hangs: no progress for HANG_TIMEOUT (${config.hangTimeoutMs / 1000} s)`),
    onGatewaySilent: (isSilent) =>
      isSilent
        ? log.warn(`the gateway has answered nobody for ${unresponsiveAfterMs / 1000} s`)
        : log.info('the gateway answers again'),
    onGatewayHung: () =>
      log.error(`the gateway hangs: no answer for HANG_TIMEOUT (${config.hangTimeoutMs / 1000} s)`),
    onNoToken: (why) => log.warn(`llama-server is ready, and yet gave no first token: ${why}`),
    onStillLoading: (sinceMs) => log.info(`the model is loading, ${Math.round(sinceMs / 1000)} s so far`),
    onEnd(end) {
      logCrash(log, end);
      crashFiles.keep(createCrashRecord(end, { at: new Date(), build }));
      if (end.who === 'gateway') steward.gatewayEnded();
    },
    onBlamelessEnd: () => steward.engineEndedBlamelessly(),
    onFailure(failure, last) {
      const words = failureMessage(failure, last);
      if (failure !== 'gateway-failed') steward.engineLost();
      writeVastLine(config.platform, logs.writeRaw, `${vastLogLines.failed} ${words}`);
      conclude({ reason: failure, words });
    },
  });
}

function openQueueWorker(
  { config, log, logs, env }: SuperviseOptions,
  key: string,
  { noted, conclude }: Pick<HouseParts, 'noted' | 'conclude'>,
): ManagedProcess {
  const queueWorker = superviseQueueWorker({
    ...{ ...config, env, key, log, noted },
    childLog: logs.getLog('runpod-worker'),
    passOn: logs.forward,
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
  if (format === 'text') log.info({ table: formatBootTable(boot) }, 'up');
  else log.info({ boot }, 'up');
}

function exitCodeFor(outcome: Reason): ExitCode {
  if (outcome === 'asked' || outcome === 'idle') return exitCodes.stopped;
  if (outcome === 'broken') return exitCodes.internal;
  if (outcome === 'queue-worker-failed') return exitCodes.queueWorkerFailed;
  return outcome === 'gateway-failed' ? exitCodes.gatewayFailed : exitCodes.engineFailed;
}
