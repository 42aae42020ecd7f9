import type { SupervisorConfig } from '../config.ts';

/** The call by which a rented machine asks its platform to be stopped, so that it is not paid for any longer. */
export interface StopCall {
  readonly platform: string;
  readonly url: string;
  readonly init: {
    readonly method: 'POST' | 'PUT';
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
  };
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What holds the platforms' keys. Nothing but this call needs them. */
export const platformKeys = ['RUNPOD_API_KEY', 'CONTAINER_API_KEY'] as const;

/**
 * Undefined where we are on no such machine or it was given no key of its own. What a serverless platform has started, it
 * stops itself.
 */
export function createStopCall(
  { platform, settings }: Pick<SupervisorConfig, 'platform' | 'settings'>,
  env: Environment,
): StopCall | undefined {
  if (platform === 'runpod-pod') return runpodCall(settings.RUNPOD_API_URL, env);
  if (platform === 'vast' && env.SERVERLESS !== 'true') return vastCall(settings.VAST_API_URL, env);
  return undefined;
}

function runpodCall(
  base: string,
  { RUNPOD_POD_ID: id, RUNPOD_API_KEY: key }: Environment,
): StopCall | undefined {
  if (!id || !key) return undefined;
  const pod = `${withoutSlash(base)}/pods/${encodeURIComponent(id)}`;
  // Its first version, which RunPod retires in December 2026, has a path for each action.
  if (/\/v1\/*$/.test(base))
    return { platform: 'RunPod', url: `${pod}/stop`, init: { method: 'POST', headers: bearing(key) } };
  const headers = { ...bearing(key), 'content-type': 'application/json' };
  return {
    platform: 'RunPod',
    url: `${pod}/action`,
    init: { method: 'POST', headers, body: '{"action":"stop"}' },
  };
}

function vastCall(
  base: string,
  { CONTAINER_ID, VAST_CONTAINERLABEL, CONTAINER_API_KEY: key }: Environment,
): StopCall | undefined {
  const id = CONTAINER_ID || VAST_CONTAINERLABEL?.replace(/^C\./, '');
  if (!id || !key) return undefined;
  const url = `${withoutSlash(base)}/instances/${encodeURIComponent(id)}/`;
  const headers = { ...bearing(key), 'content-type': 'application/json' };
  return { platform: 'Vast', url, init: { method: 'PUT', headers, body: '{"state":"stopped"}' } };
}

const bearing = (key: string) => ({ authorization: `Bearer ${key}` });

const withoutSlash = (url: string) => url.replace(/\/+$/, '');
