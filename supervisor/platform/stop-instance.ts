import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../log/create-log.ts';
import type { Settings } from '../../settings/variables.ts';
import type { Platform } from './platform.ts';

export interface RetryOptions {
  /** Milliseconds before each further attempt. */
  readonly delaysMs: readonly number[];
  readonly timeoutMs: number;
}

const defaultRetries: RetryOptions = { delaysMs: [1000, 3000, 10_000], timeoutMs: 10_000 };

/** Asks the platform to stop this machine. A failure is only logged. */
export async function stopInstance(
  { platform, url, init }: StopCall,
  log: Log,
  { delaysMs, timeoutMs }: RetryOptions = defaultRetries,
): Promise<void> {
  for (const delayMs of [...delaysMs, undefined]) {
    const outcome = await attempt(url, init, timeoutMs);
    if (outcome === 'stopped') return log.info(`${platform} accepted the request to stop this instance`);
    log.warn(`${platform} did not stop this instance: ${outcome.reason}`);
    if (outcome.isFinal || delayMs === undefined) break;
    await sleep(delayMs);
  }
  log.error(`this instance may keep running up costs: stop it by hand in the ${platform} console`);
}

interface Failure {
  /** Without the response body, which may hold secrets. */
  readonly reason: string;
  /** Another attempt would not help. */
  readonly isFinal: boolean;
}

async function attempt(url: string, init: StopCall['init'], timeoutMs: number): Promise<'stopped' | Failure> {
  try {
    // Redirects are not followed: the key goes to the platform only.
    const response = await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
    await response.body?.cancel();
    if (response.ok) return 'stopped';
    const { status } = response;
    const isFinal = status >= 400 && status < 500 && status !== 408 && status !== 429;
    return { reason: `status ${status}`, isFinal };
  } catch (error) {
    const { cause = error } = error as Error;
    return { reason: (cause as NodeJS.ErrnoException).code ?? (cause as Error).message, isFinal: false };
  }
}

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
