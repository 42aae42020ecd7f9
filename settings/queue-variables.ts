import type { Settings } from './variables.ts';

/** What a worker of RunPod's queue cannot do without; RunPod sets all of it. */
export const queueVariables = [
  'RUNPOD_WEBHOOK_GET_JOB',
  'RUNPOD_WEBHOOK_POST_OUTPUT',
  'RUNPOD_WEBHOOK_POST_STREAM',
  'RUNPOD_AI_API_KEY',
] as const;

export const missingQueueVariables = (settings: Settings) =>
  queueVariables.filter((name) => settings[name] === undefined);
