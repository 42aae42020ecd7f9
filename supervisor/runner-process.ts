import { join } from 'node:path';
import type { RunnerMessage } from '../health/supervisor-messages.ts';
import { type ClientOptions, type ClientProgram, createClientProcess } from './client-process.ts';
import type { IdleTimer } from './idle-timer.ts';
import type { ChildExit } from './process/child.ts';
import type { ManagedProcess } from './process/managed-process.ts';
import { smallHeap } from './spawn-gateway.ts';

export const runnerProgram: ClientProgram = {
  args: [...smallHeap, join(import.meta.dirname, '..', 'jobs', 'main.ts')],
  passedVariables: [
    ...(['STORE', 'STORE_KEY', 'MAX_FILE_SIZE', 'STORE_RETENTION_DAYS'] as const),
    ...(['STORE_MAX_SIZE', 'STORE_MAX_SIZE_PER_KEY', 'MAX_REQUEST_BODY_SIZE'] as const),
    ...(['DATA_DIR', 'LOG_LEVEL', 'DRAIN_TIMEOUT', 'MAX_REPLAYS'] as const),
  ],
  connect: ({ key, host, port }) => ({ RUNNER_KEY: key, HOST: host, PORT: port }),
};

export interface RunnerOptions extends ClientOptions {
  /** Jobs count as activity, unless BATCH_KEEPS_AWAKE turns that off. */
  readonly idleTimer: IdleTimer;
  /** `isFinal`: it will not be restarted. */
  readonly onCrash: (exit: ChildExit, isFinal: boolean) => void;
}

/**
 * The runner of batches and background responses. They go on where they were, so it is restarted for ever, with growing
 * delays; only if its configuration is wrong, they wait until the next start of us all.
 */
export function createRunner({ idleTimer, onCrash, ...options }: RunnerOptions): ManagedProcess {
  const { BATCH_KEEPS_AWAKE: keepsAwake } = options.settings;
  // Until the runner has looked, there may be batches of an earlier start.
  if (keepsAwake) idleTimer.start('jobs');
  let hasLooked = false;
  const policy = { ...options.policy, maxCrashes: Infinity, maxLoadCrashes: Infinity };
  return createClientProcess(
    runnerProgram,
    { ...options, policy },
    {
      onMessage(message) {
        const { hasJobs } = message as RunnerMessage;
        hasLooked = true;
        if (hasJobs && keepsAwake) idleTimer.start('jobs');
        else idleTimer.end('jobs');
      },
      onCrash(exit, { phase }) {
        onCrash(exit, phase === 'given-up');
        // A runner that is restarted still has the jobs of the one before it. One that cannot even look may never be able to.
        if (phase === 'given-up' || !hasLooked) idleTimer.end('jobs');
      },
    },
  );
}
