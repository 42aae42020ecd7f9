import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../log/create-log.ts';
import { queueVariables } from '../settings/queue-variables.ts';
import type { Settings } from '../settings/variables.ts';
import { connectableHost } from './await-gateway.ts';
import { exitCodes } from './exit-codes.ts';
import { logUnclassifiedCrash, queueWorkerFailureMessage } from './failure-messages.ts';
import { foreignEnvironment, settingsAsVariables } from './gateway-environment.ts';
import { type Child, startChild } from './process/child.ts';
import { environmentSecrets, settingSecrets } from './process/known-secrets.ts';
import { type ManagedProcess, superviseProcess } from './process/managed-process.ts';
import { createSecretRedactor } from './process/redact-secrets.ts';
import { gatewayPolicy, type RestartPolicy } from './process/restart-policy.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const program = join(import.meta.dirname, '..', 'runpod', 'main.ts');

/** Everything else is none of its business: no key of a client, no token of a model. */
const passed = [
  ...queueVariables,
  ...(['RUNPOD_WEBHOOK_PING', 'RUNPOD_PING_INTERVAL', 'RUNPOD_POD_ID', 'RUNPOD_STREAM_INTERVAL'] as const),
  ...(['LOG_LEVEL', 'QUEUE_TIMEOUT', 'DRAIN_TIMEOUT'] as const),
];

export interface QueueWorkerOptions {
  readonly settings: Settings;
  readonly env: Environment;
  /** What it shows the gateway. */
  readonly key: string;
  readonly host: string;
  readonly port: number;
  readonly policy: RestartPolicy;
  /** Of the supervisor, and of the child for what is no line of its log. */
  readonly log: Log;
  readonly childLog: Log;
  readonly passOn: (line: string) => boolean;
  readonly noted: (child: Child) => Child;
  /** It will not be started again. */
  readonly onFailure: (words: string) => void;
}

/** The worker of RunPod's queue as a child: its crash costs neither the model nor those whom the gateway serves. */
export function superviseQueueWorker(options: QueueWorkerOptions): ManagedProcess {
  const { log, policy, noted, onFailure } = options;
  return superviseProcess({
    start: () => noted(startQueueWorker(options)),
    policy: gatewayPolicy(policy),
    judge: ({ code }) => (code === exitCodes.configuration ? 'ended-for-good' : 'ended'),
    onEnded(end, { phase, history }) {
      if (phase !== 'waiting' && phase !== 'given-up') return;
      logUnclassifiedCrash(log, 'the queue worker', end);
      if (phase === 'given-up') onFailure(queueWorkerFailureMessage(history));
    },
  });
}

/** What that may take, ms: the worker may still be starting. */
const tellingMs = 5000;

/** Has the worker tell RunPod that it can do no more jobs; settles when it has ended of that, or takes too long. */
export async function reportUnhealthy(
  queueWorker: ManagedProcess,
  trouble: { readonly check: string; readonly reason: string },
): Promise<void> {
  const { child } = queueWorker;
  queueWorker.letGo();
  child?.send(trouble);
  await Promise.race([child?.ended, sleep(tellingMs, undefined, { ref: false })]);
}

function startQueueWorker({ env, childLog, passOn, ...options }: QueueWorkerOptions): Child {
  const show = createSecretRedactor([
    ...settingSecrets(options.settings),
    ...environmentSecrets(env),
    options.key,
  ]);
  return startChild({
    command: process.execPath,
    args: [program],
    env: queueWorkerEnvironment(env, options),
    onStdoutLine(line) {
      if (!passOn(line)) childLog.warn(show(line));
    },
    show,
    onLine: (line) => childLog.warn(line),
    // It says nothing; it is told where the house has failed.
    onMessage() {},
  });
}

export function queueWorkerEnvironment(
  env: Environment,
  { settings, key, host, port }: Pick<QueueWorkerOptions, 'settings' | 'key' | 'host' | 'port'>,
): Record<string, string> {
  const wanted = Object.fromEntries(passed.map((name) => [name, settings[name]]));
  return {
    ...foreignEnvironment(env),
    ...settingsAsVariables({
      ...wanted,
      LOG_FORMAT: 'json',
      LOG_FILES: false,
      RUNPOD_WORKER_KEY: key,
      RUNPOD_WORKER_GATEWAY: `http://${connectableHost(host)}:${port}`,
    }),
  };
}
