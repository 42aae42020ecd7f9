import type { Backend } from '../health/backend.ts';
import type { HealthServer } from '../health/health-server.ts';
import { createLog, type Log } from '../log/create-log.ts';
import { makeBackendKey } from './backend-key.ts';
import type { BootTimes } from './boot.ts';
import { bootTable } from './boot-table.ts';
import type { Child } from './child.ts';
import type { SupervisorConfig } from './config.ts';
import type { Engine } from './engine.ts';
import { startEngineChild } from './engine-child.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { failureWords, tellEnd } from './failure-words.ts';
import { type Command, gatewayProgram, startGatewayChild } from './gateway-child.ts';
import { type House, type HouseFailure, openHouse, type Ready } from './house.ts';
import { makeRuntimeDir, type RuntimeDir, sweepRuntimeDirs } from './runtime-dir.ts';
import { shutDown } from './shutdown.ts';
import { followSignals } from './signals.ts';

export interface SuperviseOptions {
  /** What preflight has found good. */
  readonly config: SupervisorConfig;
  readonly engine: Engine;
  readonly log: Log;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Already listening; its owner closes it. */
  readonly health?: HealthServer | undefined;
  /** Called once, when the first token has come out of the engine and the gateway answers. */
  readonly onReady?: ((ready: Ready) => void) | undefined;
  readonly gatewayCommand?: Command;
}

type Outcome = 'asked' | HouseFailure;

/** Runs llama-server and the gateway until a signal or a failure ends them; answers the exit code of the process. */
export async function supervise(options: SuperviseOptions): Promise<ExitCode> {
  const { config, log } = options;
  for (const pid of sweepRuntimeDirs()) log.warn({ pid }, 'ended a child that a killed supervisor had left');
  const runtimeDir = makeRuntimeDir();
  const backend = { address: backendAddress(config, runtimeDir), apiKey: makeBackendKey() };
  const hurry = new AbortController();
  const outcome = Promise.withResolvers<Outcome>();

  let house: House | undefined;
  const endChildren = () => {
    house?.engine.child?.kill();
    house?.gateway.child?.kill();
    runtimeDir.remove();
  };
  process.once('exit', endChildren);
  // Before there are children: a signal that nobody follows ends a process on the spot.
  const unfollow = followSignals({
    onStop: () => outcome.resolve('asked'),
    onHurry: () => hurry.abort(),
    onReload: () => house?.reloadKeys(),
  });
  house = await open(options, backend, runtimeDir, outcome.resolve);
  options.health?.show(house.snapshot);

  const reason = await outcome.promise;
  if (reason === 'asked') log.info('stopping: running requests may finish');
  else hurry.abort();
  house.beginStopping();
  const { engine, gateway } = house;
  await shutDown({ engine, gateway, drainTimeoutMs: config.drainTimeoutMs, hurry: hurry.signal });
  house.close();
  unfollow();
  process.off('exit', endChildren);
  runtimeDir.remove();
  return exitCodeFor(reason);
}

function backendAddress({ backendPort }: SupervisorConfig, { socketPath }: RuntimeDir): Backend['address'] {
  return backendPort === undefined
    ? { origin: 'http://llama-server', socketPath }
    : { origin: `http://127.0.0.1:${backendPort}`, socketPath: undefined };
}

async function open(
  { config, engine, log, env, onReady, gatewayCommand = gatewayProgram }: SuperviseOptions,
  backend: Backend & { readonly apiKey: string },
  runtimeDir: RuntimeDir,
  conclude: (outcome: Outcome) => void,
): Promise<House> {
  const { LOG_FORMAT: format, LOG_LEVEL: level } = config.settings;
  const engineLog = await createLog({ format, level, from: 'llama-server' });
  const gatewayLog = await createLog({ format, level, from: 'gateway' });
  const noted = (child: Child) => {
    if (child.pid !== undefined) runtimeDir.noteChild(child.pid);
    return child;
  };
  return openHouse({
    ...config,
    backend,
    startEngine: () => noted(startEngineChild({ engine, config, backend, env, log: engineLog })),
    startGateway: () =>
      noted(startGatewayChild({ program: gatewayCommand, config, backend, env, log: gatewayLog })),
    onStanding: (standing) => log.info(`standing: ${standing}`),
    onReady(ready) {
      tellBoot(log, format, ready.boot);
      onReady?.(ready);
    },
    onNoToken: (why) => log.warn(`llama-server is ready, and yet gave no first token: ${why}`),
    onStillLoading: (sinceMs) => log.info(`the model is loading, ${Math.round(sinceMs / 1000)} s so far`),
    onEnd: (end) => tellEnd(log, end),
    onFailure(failure) {
      log.error(failureWords[failure]);
      conclude(failure);
    },
  });
}

/** A table for people, the same as fields for machines. */
function tellBoot(log: Log, format: string, boot: BootTimes): void {
  if (format === 'text') log.info(`up\n${bootTable(boot)}`);
  else log.info({ boot }, 'up');
}

function exitCodeFor(outcome: Outcome): ExitCode {
  if (outcome === 'asked') return exitCodes.stopped;
  return outcome === 'gateway-failed' ? exitCodes.gatewayFailed : exitCodes.engineFailed;
}
