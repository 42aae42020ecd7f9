import { randomUUID } from 'node:crypto';
import type { GatewayAddress } from '../client/gateway-client.ts';
import packageFile from '../package.json' with { type: 'json' };
import { missingQueueVariables, queueVariables } from '../settings/runpod-variables.ts';
import type { Settings } from '../settings/variables.ts';
import type { WorkerIdentity } from './job.ts';
import { type JobUrls, jobUrls } from './job-urls.ts';
import { longestQueueTimeout } from './longest-queue-timeout.ts';
import type { StreamPace } from './relay-stream.ts';

/** The configuration of the queue worker: plain values, durations in ms. */
export interface QueueConfig {
  readonly urls: JobUrls;
  readonly apiKey: string;
  readonly version: string;
  readonly worker: WorkerIdentity;
  readonly pingIntervalMs: number;
  readonly pace: StreamPace;
  readonly gateway: GatewayAddress;
  readonly gatewayTimeoutMs: () => Promise<number>;
  readonly drainMs: number;
}

/** RunPod accepts pieces of up to a megabyte; in JSON a character may become several bytes. */
const maxPieceChars = 128 * 1024;

/** The configuration, or the missing variables. */
export function queueConfig(settings: Settings): QueueConfig | { readonly problems: readonly string[] } {
  const [take, output, stream, apiKey] = queueVariables.map((name) => settings[name]);
  if (take === undefined || output === undefined || stream === undefined || apiKey === undefined) {
    const missing = missingQueueVariables(settings);
    return { problems: missing.map((name) => `${name}: not set; RunPod sets it in the workers of a queue`) };
  }
  const id = settings.RUNPOD_POD_ID ?? randomUUID();
  const version = `llama-corral/${packageFile.version}`;
  return {
    urls: jobUrls({ take, output, stream, ping: settings.RUNPOD_WEBHOOK_PING }, id),
    apiKey,
    version,
    worker: { id, version },
    pingIntervalMs: settings.RUNPOD_PING_INTERVAL,
    pace: { intervalMs: settings.RUNPOD_STREAM_INTERVAL, maxChars: maxPieceChars },
    gateway: {
      origin: settings.RUNPOD_WORKER_GATEWAY?.replace(/\/+$/, '') ?? `http://127.0.0.1:${settings.PORT}`,
      key: settings.RUNPOD_WORKER_KEY,
    },
    gatewayTimeoutMs: () => longestQueueTimeout(settings),
    drainMs: settings.DRAIN_TIMEOUT,
  };
}
