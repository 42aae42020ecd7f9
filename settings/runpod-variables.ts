import { choice, duration, headerText, milliseconds, text, url } from './kinds.ts';
import { optional, required } from './variable.ts';

/** The variables of the worker of a RunPod queue. */
export const runpodVariables = {
  RUNPOD_WORKER: required(
    'Platform',
    choice('auto', 'off'),
    'auto',
    "Process jobs of RunPod's queue if the platform has set `RUNPOD_WEBHOOK_GET_JOB`.",
  ),
  RUNPOD_STREAM_INTERVAL: required(
    'Platform',
    duration,
    200,
    'Collect the events of a stream for this long before they are posted to RunPod together. The first ones are posted at once.',
  ),
  RUNPOD_WEBHOOK_GET_JOB: optional(
    'Platform',
    url('https', 'http'),
    'Set by RunPod: URL from which jobs are taken.',
  ),
  RUNPOD_WEBHOOK_POST_OUTPUT: optional(
    'Platform',
    url('https', 'http'),
    'Set by RunPod: URL to which results are posted.',
  ),
  RUNPOD_WEBHOOK_POST_STREAM: optional(
    'Platform',
    url('https', 'http'),
    'Set by RunPod: URL to which parts of a stream are posted.',
  ),
  RUNPOD_WEBHOOK_PING: optional(
    'Platform',
    url('https', 'http'),
    'Set by RunPod: URL to which heartbeats are sent.',
  ),
  RUNPOD_PING_INTERVAL: required(
    'Platform',
    milliseconds,
    10_000,
    'Set by RunPod: time between two heartbeats, in milliseconds.',
  ),
  RUNPOD_AI_API_KEY: optional(
    'Platform',
    headerText,
    'Set by RunPod: API key with which the worker uses the queue.',
    { secret: true },
  ),
  RUNPOD_POD_ID: optional('Platform', text, 'Set by RunPod: id of this worker.'),
  RUNPOD_WORKER_GATEWAY: optional(
    'Platform',
    url('http', 'https'),
    'For `corral runpod-worker`: URL of the gateway to which jobs are sent.',
    { computedDefault: '`http://127.0.0.1:$PORT`' },
  ),
  RUNPOD_WORKER_KEY: optional(
    'Platform',
    headerText,
    'For `corral runpod-worker` and its gateway: shared secret that identifies the worker, as the key `runpod-queue`.',
    { computedDefault: 'generated at each start by `corral serve`', secret: true },
  ),
} as const;

/** Required by the worker of a RunPod queue; RunPod sets all of them. */
export const queueVariables = [
  'RUNPOD_WEBHOOK_GET_JOB',
  'RUNPOD_WEBHOOK_POST_OUTPUT',
  'RUNPOD_WEBHOOK_POST_STREAM',
  'RUNPOD_AI_API_KEY',
] as const;

type QueueSettings = { readonly [Name in (typeof queueVariables)[number]]: string | undefined };

export const missingQueueVariables = (settings: QueueSettings) =>
  queueVariables.filter((name) => settings[name] === undefined);
