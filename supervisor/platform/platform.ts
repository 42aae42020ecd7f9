import { existsSync } from 'node:fs';
import { missingQueueVariables } from '../../settings/runpod-variables.ts';
import type { Settings } from '../../settings/variables.ts';

export type Platform = 'runpod-serverless' | 'runpod-pod' | 'vast' | 'kubernetes' | 'container' | 'bare';

type Environment = Readonly<Record<string, string | undefined>>;

const containerMarkers = ['/.dockerenv', '/run/.containerenv'];

/** Where we run, detected by variables of the platforms and files of the container runtimes. */
export function detectPlatform(env: Environment, exists: (path: string) => boolean = existsSync): Platform {
  if (env.RUNPOD_ENDPOINT_ID) return 'runpod-serverless';
  if (env.RUNPOD_POD_ID) return 'runpod-pod';
  if (env.VAST_CONTAINERLABEL) return 'vast';
  if (env.KUBERNETES_SERVICE_HOST) return 'kubernetes';
  return env.K_SERVICE || containerMarkers.some(exists) ? 'container' : 'bare';
}

/** A container is reached through its own network address; elsewhere only this machine is served by default. */
export function defaultHost(platform: Platform): string {
  return platform === 'bare' ? '127.0.0.1' : '0.0.0.0';
}

/** Whether to take jobs from RunPod's queue, with a warning if the variables for that are incomplete. */
export function queueWorkerEnabled(settings: Settings): { isEnabled: boolean; warnings: readonly string[] } {
  const isEnabled = settings.RUNPOD_WORKER === 'auto' && settings.RUNPOD_WEBHOOK_GET_JOB !== undefined;
  const missing = missingQueueVariables(settings);
  if (!isEnabled || missing.length === 0) return { isEnabled, warnings: [] };
  return {
    isEnabled: false,
    warnings: [`RunPod queue worker disabled: ${missing.join(', ')} not set`],
  };
}

/**
 * Vast's PyWorker reads the log of a server to learn when it is ready and when it has failed: it searches for these words at
 * the start of a line (its `on_load` and `on_error`). They contain spaces, which the path of a request never shows.
 */
export const vastLogLines = {
  ready: 'llama-corral is ready',
  failed: 'llama-corral has failed:',
} as const;

/** Writes such a line if something reads it. */
export function writeVastLine(platform: Platform, write: (line: string) => void, line: string): void {
  if (platform === 'vast') write(line);
}
