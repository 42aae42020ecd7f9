import { existsSync } from 'node:fs';

export type Platform = 'runpod-serverless' | 'runpod-pod' | 'vast' | 'kubernetes' | 'container' | 'bare';

type Environment = Readonly<Record<string, string | undefined>>;

const containerMarks = ['/.dockerenv', '/run/.containerenv'];

/** Where we run, from the variables that the platforms set and the marks that container runtimes leave. */
export function detectPlatform(env: Environment, exists: (path: string) => boolean = existsSync): Platform {
  if (env.RUNPOD_ENDPOINT_ID) return 'runpod-serverless';
  if (env.RUNPOD_POD_ID) return 'runpod-pod';
  if (env.VAST_CONTAINERLABEL) return 'vast';
  if (env.KUBERNETES_SERVICE_HOST) return 'kubernetes';
  return env.K_SERVICE || containerMarks.some(exists) ? 'container' : 'bare';
}

/** A container is reached through its own network address; elsewhere only this machine is served unless told. */
export function defaultHost(platform: Platform): string {
  return platform === 'bare' ? '127.0.0.1' : '0.0.0.0';
}
