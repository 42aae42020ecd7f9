import type { Settings } from '../../settings/variables.ts';
import type { Platform } from './platform.ts';

/** The request that makes a platform stop this rented machine, so that it costs nothing any more. */
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

/** The variables with the platforms' keys. Only this request needs them. */
export const platformKeys = ['RUNPOD_API_KEY', 'CONTAINER_API_KEY'] as const;

/**
 * Undefined if this is no such machine, or the platform has provided no key. A serverless platform stops what it has
 * started by itself.
 */
export function createStopCall(
  { platform, settings }: { readonly platform: Platform; readonly settings: Settings },
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
  // Version 1 of the API, which RunPod retires in December 2026, has a path for each action.
  if (/\/v1\/*$/.test(base))
    return { platform: 'RunPod', url: `${pod}/stop`, init: { method: 'POST', headers: bearer(key) } };
  const headers = { ...bearer(key), 'content-type': 'application/json' };
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
  const headers = { ...bearer(key), 'content-type': 'application/json' };
  return { platform: 'Vast', url, init: { method: 'PUT', headers, body: '{"state":"stopped"}' } };
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

const withoutSlash = (url: string) => url.replace(/\/+$/, '');
