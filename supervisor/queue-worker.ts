import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { queueVariables } from '../settings/runpod-variables.ts';
import { type ClientOptions, type ClientProgram, createClientProcess } from './client-process.ts';
import { queueWorkerFailureMessage } from './crash-messages.ts';
import type { ChildExit } from './process/child.ts';
import type { ManagedProcess } from './process/managed-process.ts';
import { gatewayPolicy } from './process/restart-policy.ts';

export const queueWorkerProgram: ClientProgram = {
  args: [join(import.meta.dirname, '..', 'runpod', 'main.ts')],
  passedVariables: [
    ...queueVariables,
    ...(['RUNPOD_WEBHOOK_PING', 'RUNPOD_PING_INTERVAL', 'RUNPOD_POD_ID', 'RUNPOD_STREAM_INTERVAL'] as const),
    ...(['LOG_LEVEL', 'QUEUE_TIMEOUT', 'DRAIN_TIMEOUT', 'MODELS_FILE', 'MODELS_DIR'] as const),
  ],
  connect: ({ key, host, port }) => ({
    RUNPOD_WORKER_KEY: key,
    RUNPOD_WORKER_GATEWAY: `http://${host}:${port}`,
  }),
};

export interface QueueWorkerOptions extends ClientOptions {
  readonly onCrash: (exit: ChildExit) => void;
  /** It will not be restarted. */
  readonly onFailure: (message: string) => void;
}

/** The RunPod queue worker. */
export function createQueueWorker({ onCrash, onFailure, ...options }: QueueWorkerOptions): ManagedProcess {
  const policy = gatewayPolicy(options.policy);
  return createClientProcess(
    queueWorkerProgram,
    { ...options, policy },
    {
      onCrash(exit, { phase, history }) {
        onCrash(exit);
        if (phase === 'given-up') onFailure(queueWorkerFailureMessage(history));
      },
    },
  );
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
