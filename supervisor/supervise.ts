import { setTimeout as sleep } from 'node:timers/promises';
import type { HealthServer } from '../health/health-server.ts';
import type { Log } from '../log/create-log.ts';
import type { Logs } from '../log/create-logs.ts';
import { handleUnhandledErrors } from '../log/unhandled-errors.ts';
import type { SupervisorConfig } from './config.ts';
import { createCrashStore } from './crash-store.ts';
import { Deployment } from './deployment.ts';
import type { InstalledEngine } from './engine/installed-engine.ts';
import { EventLog } from './event-log.ts';
import type { Outcome, ReadyReport } from './events.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { createStopCall, stopInstance } from './platform/stop-instance.ts';
import { disableCoreFiles } from './process/core-files.ts';
import { createRuntimeDir, removeStaleRuntimeDirs } from './process/runtime-dir.ts';
import { handleSignals } from './process/signals.ts';
import { type Command, defaultGatewayCommand } from './spawn-gateway.ts';

export interface SuperviseOptions {
  /** Checked by preflight. */
  readonly config: SupervisorConfig;
  readonly engine: InstalledEngine;
  readonly log: Log;
  /** The stream of lines that `log` belongs to. */
  readonly logs: Logs;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Already listening; its owner closes it. */
  readonly health?: HealthServer | undefined;
  /** Called once, when the engine has generated its first token and the gateway responds. */
  readonly onReady?: ((report: ReadyReport) => void) | undefined;
  readonly gatewayCommand?: Command;
}

/** Time for the gateway to receive that the engine has failed, and to end its requests, before it is stopped. */
const failureNoticeMs = 100;

/** How long a hanging disk may delay the exit. */
const diskTimeoutMs = 2000;

/** Runs llama-server and the gateway until a signal or a failure ends them; returns the exit code of the process. */
export async function supervise(options: SuperviseOptions): Promise<ExitCode> {
  const { config, engine, env, log, logs, gatewayCommand = defaultGatewayCommand } = options;
  if (!config.settings.CORE_DUMPS) await disableCoreFiles((warning) => log.warn(warning));
  for (const pid of removeStaleRuntimeDirs())
    log.warn({ pid }, 'killed a child left behind by a killed supervisor');
  const runtimeDir = createRuntimeDir();
  const crashStore = createCrashStore(config.dataDir, log);
  const events = new EventLog({ config, log, logs, crashStore, onReady: options.onReady });
  const deployment = new Deployment({ config, engine, gatewayCommand, env, log, logs, runtimeDir, events });
  const force = new AbortController();
  const killChildren = () => {
    deployment.kill();
    runtimeDir.remove();
  };
  process.once('exit', killChildren);
  // Before there are children: a signal without a handler ends a process at once.
  const ignoreSignals = handleSignals({
    onStop: () => deployment.end({ reason: 'requested' }),
    onForce: () => force.abort(),
    onReload: () => deployment.reloadKeys(),
  });
  const ignoreErrors = handleUnhandledErrors(log, () => deployment.end({ reason: 'internal-error' }));
  deployment.start();
  options.health?.setSnapshotSource(() => deployment.snapshot());

  const outcome = await deployment.outcome;
  if (isFailure(outcome)) {
    await deployment.reportUnhealthy(outcome);
    await sleep(failureNoticeMs);
    force.abort();
  } else logShutdown(log, outcome, config);
  await deployment.stop(force.signal);
  await crashStore.flush(diskTimeoutMs);
  if (outcome.reason === 'idle') await stopMachine(options);
  ignoreSignals();
  ignoreErrors();
  process.off('exit', killChildren);
  runtimeDir.remove();
  const exitCode = exitCodeFor(outcome);
  logExit(log, { message: outcome.message, exitCode, crashFile: crashStore.newest });
  return exitCode;
}

function isFailure({ reason }: Outcome): boolean {
  return reason !== 'requested' && reason !== 'idle' && reason !== 'internal-error';
}

function logShutdown(log: Log, { reason }: Outcome, { idleShutdownMs = 0 }: SupervisorConfig): void {
  if (reason === 'requested') log.info('shutting down: waiting for running requests');
  else if (reason === 'internal-error')
    log.error('shutting down after an internal error: waiting for running requests');
  else log.info(`shutting down: no requests for ${idleShutdownMs / 1000} s (IDLE_SHUTDOWN_SECONDS)`);
}

/** After our own shutdown, because the platform may stop us at any moment once it is asked to. */
async function stopMachine({ config, env, log }: SuperviseOptions): Promise<void> {
  const call = createStopCall(config, env);
  if (call) await stopInstance(call, log);
}

interface Exit {
  readonly message: string | undefined;
  readonly exitCode: ExitCode;
  readonly crashFile: string | undefined;
}

/** The last line: a log that ends with another was cut short. */
function logExit(log: Log, { message, exitCode, crashFile }: Exit): void {
  const details = message !== undefined && crashFile !== undefined ? [`details: ${crashFile}`] : [];
  if (exitCode === exitCodes.stopped) log.info('stopped');
  else log.error([message ?? 'stopped', ...details, `exit status ${exitCode}`].join('; '));
}

function exitCodeFor({ reason }: Outcome): ExitCode {
  switch (reason) {
    case 'requested':
    case 'idle':
      return exitCodes.stopped;
    case 'internal-error':
      return exitCodes.internal;
    case 'queue-worker-failed':
      return exitCodes.queueWorkerFailed;
    case 'gateway-failed':
      return exitCodes.gatewayFailed;
    default:
      return exitCodes.engineFailed;
  }
}
