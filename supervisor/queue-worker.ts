import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../log/create-log.ts';
import { queueVariables, type Settings } from '../settings/variables.ts';
import { queueWorkerFailureMessage } from './crash-messages.ts';
import { exitCodes } from './exit-codes.ts';
import { connectableHost } from './probe-gateway.ts';
import { type Child, type ChildExit, spawnChild } from './process/child.ts';
import { ManagedProcess } from './process/managed-process.ts';
import { createSecretRedactor, environmentSecrets, settingSecrets } from './process/redact-secrets.ts';
import { gatewayPolicy, type RestartPolicy } from './process/restart-policy.ts';
import { foreignEnvironment, settingsAsVariables } from './spawn-gateway.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const program = join(import.meta.dirname, '..', 'runpod', 'main.ts');

/** It gets these variables and no others of ours: no client's key, no token for models. */
const passedVariables = [
  ...queueVariables,
  ...(['RUNPOD_WEBHOOK_PING', 'RUNPOD_PING_INTERVAL', 'RUNPOD_POD_ID', 'RUNPOD_STREAM_INTERVAL'] as const),
  ...(['LOG_LEVEL', 'QUEUE_TIMEOUT', 'DRAIN_TIMEOUT', 'MODELS_FILE', 'MODELS_DIR'] as const),
];

export interface QueueWorkerOptions {
  readonly settings: Settings;
  readonly env: Environment;
  /** Its key at the gateway. */
  readonly key: string;
  readonly host: string;
  readonly port: number;
  readonly policy: RestartPolicy;
  /** For output that is not a line of its log. */
  readonly log: Log;
  /** Passes on a line of its log; false if it is none. */
  readonly forward: (line: string) => boolean;
  readonly onSpawned: (child: Child) => void;
  readonly onCrash: (exit: ChildExit) => void;
  /** It will not be restarted. */
  readonly onFailure: (message: string) => void;
}

/** The RunPod queue worker as a child: its crash affects neither the model nor the gateway's other clients. */
export function createQueueWorker(options: QueueWorkerOptions): ManagedProcess {
  return new ManagedProcess({
    spawn: () => spawnQueueWorker(options),
    policy: gatewayPolicy(options.policy),
    classifyExit: ({ code }) => (code === exitCodes.configuration ? 'exited-fatally' : 'exited'),
    onExit(exit, { phase, history }) {
      if (phase !== 'waiting' && phase !== 'given-up') return;
      options.onCrash(exit);
      if (phase === 'given-up') options.onFailure(queueWorkerFailureMessage(history));
    },
  });
}

/** How long the report may take: the worker may still be starting. */
const reportTimeoutMs = 5000;

/** Makes the worker report to RunPod that it can do no more jobs. Resolves when it has exited after that, or takes too long. */
export async function reportUnhealthy(
  queueWorker: ManagedProcess,
  problem: { readonly check: string; readonly reason: string },
): Promise<void> {
  const { child } = queueWorker;
  queueWorker.disableRestart();
  child?.send(problem);
  await Promise.race([child?.exited, sleep(reportTimeoutMs, undefined, { ref: false })]);
}

function spawnQueueWorker({ env, log, forward, onSpawned, ...options }: QueueWorkerOptions): Child {
  const redact = createSecretRedactor([
    ...settingSecrets(options.settings),
    ...environmentSecrets(env),
    options.key,
  ]);
  const child = spawnChild({
    command: process.execPath,
    args: [program],
    env: queueWorkerEnvironment(env, options),
    onStdoutLine(line) {
      if (!forward(line)) log.warn(redact(line));
    },
    redact,
    onLine: (line) => log.warn(line),
    // The channel is needed for reportUnhealthy; the worker sends nothing.
    onMessage() {},
  });
  onSpawned(child);
  return child;
}

export function queueWorkerEnvironment(
  env: Environment,
  { settings, key, host, port }: Pick<QueueWorkerOptions, 'settings' | 'key' | 'host' | 'port'>,
): Record<string, string> {
  const passed = Object.fromEntries(passedVariables.map((name) => [name, settings[name]]));
  return {
    ...foreignEnvironment(env),
    ...settingsAsVariables({
      ...passed,
      LOG_FORMAT: 'json',
      LOG_FILES: false,
      RUNPOD_WORKER_KEY: key,
      RUNPOD_WORKER_GATEWAY: `http://${connectableHost(host)}:${port}`,
    }),
  };
}
