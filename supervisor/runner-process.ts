import { join } from 'node:path';
import type { RunnerMessage } from '../health/supervisor-messages.ts';
import type { Log } from '../log/create-log.ts';
import type { Settings } from '../settings/variables.ts';
import { exitCodes } from './exit-codes.ts';
import type { IdleTimer } from './idle-timer.ts';
import { connectableHost } from './probe-gateway.ts';
import { type Child, type ChildExit, spawnChild } from './process/child.ts';
import { ManagedProcess } from './process/managed-process.ts';
import { createSecretRedactor, environmentSecrets, settingSecrets } from './process/redact-secrets.ts';
import type { RestartPolicy } from './process/restart-policy.ts';
import { foreignEnvironment, settingsAsVariables, smallHeap } from './spawn-gateway.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const program = join(import.meta.dirname, '..', 'jobs', 'main.ts');

/** It gets these variables and no others of ours: no client's key, no token for models. */
const passedVariables = [
  ...(['STORE', 'STORE_KEY', 'MAX_FILE_SIZE', 'STORE_RETENTION_DAYS'] as const),
  ...(['STORE_MAX_SIZE', 'STORE_MAX_SIZE_PER_KEY', 'MAX_REQUEST_BODY_SIZE'] as const),
  ...(['DATA_DIR', 'LOG_LEVEL', 'DRAIN_TIMEOUT'] as const),
];

export interface RunnerOptions {
  readonly settings: Settings;
  readonly env: Environment;
  /** Its secret at the gateway. */
  readonly key: string;
  readonly host: string;
  readonly port: number;
  readonly policy: RestartPolicy;
  /** Jobs count as activity, unless BATCH_KEEPS_AWAKE turns that off. */
  readonly idleTimer: IdleTimer;
  /** For output that is not a line of its log. */
  readonly log: Log;
  /** Passes on a line of its log; false if it is none. */
  readonly forward: (line: string) => boolean;
  readonly onSpawned: (child: Child) => void;
  /** `isFinal`: it will not be restarted. */
  readonly onCrash: (exit: ChildExit, isFinal: boolean) => void;
}

/**
 * The runner of batches as a child: its crash costs no request, and a batch goes on where it was. So it is restarted for
 * ever, with growing delays; only if its configuration is wrong, batches wait until the next start of us all.
 */
export function createRunner(options: RunnerOptions): ManagedProcess {
  const { idleTimer, settings, onCrash } = options;
  // Until the runner has looked, there may be batches of an earlier start.
  if (settings.BATCH_KEEPS_AWAKE) idleTimer.start('jobs');
  return new ManagedProcess({
    spawn: () => spawnRunner(options),
    policy: { ...options.policy, maxCrashes: Infinity, maxLoadCrashes: Infinity },
    classifyExit: ({ code }) => (code === exitCodes.configuration ? 'exited-fatally' : 'exited'),
    onExit(exit, { phase }) {
      if (phase !== 'waiting' && phase !== 'given-up') return;
      onCrash(exit, phase === 'given-up');
      // A runner that is restarted still has the jobs of the one before it.
      if (phase === 'given-up') idleTimer.end('jobs');
    },
  });
}

function spawnRunner({ env, log, forward, onSpawned, idleTimer, ...options }: RunnerOptions): Child {
  const redact = createSecretRedactor([
    ...settingSecrets(options.settings),
    ...environmentSecrets(env),
    options.key,
  ]);
  const child = spawnChild({
    command: process.execPath,
    args: [...smallHeap, program],
    env: runnerEnvironment(env, options),
    onStdoutLine(line) {
      if (!forward(line)) log.warn(redact(line));
    },
    redact,
    onLine: (line) => log.warn(line),
    onMessage(message) {
      const { hasJobs } = message as RunnerMessage;
      if (hasJobs && options.settings.BATCH_KEEPS_AWAKE) idleTimer.start('jobs');
      else idleTimer.end('jobs');
    },
  });
  onSpawned(child);
  return child;
}

export function runnerEnvironment(
  env: Environment,
  { settings, key, host, port }: Pick<RunnerOptions, 'settings' | 'key' | 'host' | 'port'>,
): Record<string, string> {
  const passed = Object.fromEntries(passedVariables.map((name) => [name, settings[name]]));
  return {
    ...foreignEnvironment(env),
    ...settingsAsVariables({
      ...passed,
      ...{ HOST: connectableHost(host), PORT: port, LOG_FORMAT: 'json', LOG_FILES: false, RUNNER_KEY: key },
    }),
  };
}
