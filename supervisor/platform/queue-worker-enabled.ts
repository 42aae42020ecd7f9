import { missingQueueVariables } from '../../settings/queue-variables.ts';
import type { Settings } from '../../settings/variables.ts';

/** Whether jobs are to be taken from RunPod's queue, and what is odd about it. */
export function queueWorkerEnabled(settings: Settings): { isWanted: boolean; warnings: readonly string[] } {
  const isCalled = settings.RUNPOD_WORKER === 'auto' && settings.RUNPOD_WEBHOOK_GET_JOB !== undefined;
  const missing = missingQueueVariables(settings);
  if (!isCalled || missing.length === 0) return { isWanted: isCalled, warnings: [] };
  return {
    isWanted: false,
    warnings: [`no jobs are taken from RunPod's queue: ${missing.join(', ')} not set`],
  };
}
