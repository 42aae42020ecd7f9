import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayClient } from '../client/gateway-client.ts';
import {
  failedResult,
  type Job,
  type JobFailure,
  type JobResult,
  parseFailure,
  type WorkerIdentity,
} from './job.ts';
import { postWithRetry, type RetryOptions, type RetryResult } from './post-with-retry.ts';
import type { QueueClient } from './queue-client.ts';
import { type JobRequest, readInput } from './read-input.ts';
import { type RelayResult, relayStream, type StreamPace } from './relay-stream.ts';
import { JobStopped } from './running-jobs.ts';
import { type JobResponse, sendRequest } from './send-request.ts';

export interface RunJobOptions {
  readonly queue: QueueClient;
  readonly gateway: GatewayClient;
  readonly worker: WorkerIdentity;
  readonly pace: StreamPace;
  /** For how long a job is retried while the gateway is unavailable, ms. */
  readonly gatewayTimeoutMs: () => Promise<number>;
  readonly delayAfter: (failures: number) => number;
  /** Aborted with a JobStopped to end the work on this job. */
  readonly signal: AbortSignal;
  /** Aborted when this worker stops: nothing is retried at the gateway any more. */
  readonly stopping: AbortSignal;
  /** Aborted when not even results can be posted any more. */
  readonly end: AbortSignal;
  readonly warn: (message: string) => void;
}

export type JobOutcome = 'completed' | 'failed' | 'cancelled' | 'lost';

/** RunPod accepts no larger result of synchronous jobs, and half as much of others (docs/platforms/runpod-worker.md). */
const maxResultBytes = 20 * 1024 ** 2;

/** RunPod accepts no larger piece of a stream; a result may be larger. */
const maxStreamPieceChars = 1_000_000;

/**
 * Runs a job and posts its result; resolves when RunPod has it. Never rejects. All output is posted as a stream, complete
 * responses too, because RunPod's route for OpenAI clients gets the same from its own worker for vLLM.
 */
export async function runJob(job: Job, options: RunJobOptions): Promise<JobOutcome> {
  const done = new AbortController();
  const signal = AbortSignal.any([options.signal, done.signal]);
  const result = await produceResult(job, { ...options, signal }).catch((error: unknown) =>
    abortedResult(error, options),
  );
  // Ends a stream that is still being read.
  done.abort();
  if (result === undefined) return 'cancelled';
  return postResult(job, result, options);
}

/** If RunPod rejects the result, the job fails, so that its client does not wait for nothing. */
async function postResult(job: Job, result: JobResult, options: RunJobOptions): Promise<JobOutcome> {
  const bytes = Buffer.byteLength(JSON.stringify(result));
  const post = (content: JobResult) =>
    postWithRetry(
      () => options.queue.postResult(job.id, content, options.end),
      retryOptions(options, options.end),
    );
  const posted: RetryResult =
    bytes > maxResultBytes ? { outcome: 'rejected', reason: 'the limit is 20 MiB' } : await post(result);
  if (posted.outcome === 'accepted') return 'error' in result ? 'failed' : 'completed';
  if (posted.outcome === 'given-up' || 'error' in result) return 'lost';
  const message = `RunPod did not accept the result of ${bytes} bytes (${posted.reason}). Use streaming, or request less output.`;
  options.warn(message);
  const { outcome } = await post(failedResult({ message, type: 'result_refused' }, options.worker));
  return outcome === 'accepted' ? 'failed' : 'lost';
}

/** Undefined if the job was cancelled. */
function abortedResult(error: unknown, { signal, worker }: RunJobOptions): JobResult | undefined {
  const reason: unknown = signal.aborted ? signal.reason : error;
  if (reason instanceof JobStopped && reason.by === 'queue') return undefined;
  const type = reason instanceof JobStopped ? 'draining' : 'internal_error';
  return failedResult({ message: (reason as Error).message, type }, worker);
}

async function produceResult(job: Job, options: RunJobOptions): Promise<JobResult> {
  const input = readInput(job.input);
  if (!input.ok) {
    return failedResult(
      { message: input.problem, type: 'invalid_request_error', status: 400 },
      options.worker,
    );
  }
  const deadline = performance.now() + (await options.gatewayTimeoutMs());
  for (let failures = 1; ; failures++) {
    const result = await attempt(job, input.request, options);
    if (!('outcome' in result)) return result;
    if (performance.now() >= deadline || options.stopping.aborted)
      return failedResult(result.failure, options.worker);
    const signal = AbortSignal.any([options.signal, options.stopping]);
    await sleep(result.retryAfterMs ?? options.delayAfter(failures), undefined, { signal }).catch(() => {});
    options.signal.throwIfAborted();
  }
}

type Unavailable = Extract<JobResponse, { outcome: 'unavailable' }>;

async function attempt(
  job: Job,
  request: JobRequest,
  options: RunJobOptions,
): Promise<JobResult | Unavailable> {
  const response = await sendRequest(options.gateway, request, job.id, options.signal);
  if (response.outcome === 'unavailable') return response;
  if (response.outcome === 'failed') return failedResult(response.failure, options.worker);
  if (response.outcome === 'complete') return postComplete(job, response.output, options);
  const relayed = await relayStream(response.body, (piece) => postPiece(job, piece, options), options.pace);
  options.signal.throwIfAborted();
  const canRetry = relayed.isBroken && relayed.pieces.length === 0;
  return canRetry
    ? { outcome: 'unavailable', failure: brokenStream, retryAfterMs: undefined }
    : streamResult(relayed, options.worker);
}

async function postComplete(job: Job, output: unknown, options: RunJobOptions): Promise<JobResult> {
  if (JSON.stringify(output).length <= maxStreamPieceChars) await postPiece(job, output, options);
  return { output: [output] };
}

const brokenStream: JobFailure = { message: 'the stream of the gateway ended early', type: 'bad_gateway' };

function streamResult({ pieces, error, isBroken }: RelayResult, worker: WorkerIdentity): JobResult {
  if (isBroken) return failedResult(brokenStream, worker);
  return error === undefined ? { output: pieces } : failedResult(parseFailure(error), worker);
}

/** A piece that RunPod rejects is still part of the result. */
async function postPiece({ id }: Job, piece: unknown, options: RunJobOptions): Promise<void> {
  const post = () => options.queue.postPiece(id, piece, options.signal);
  await postWithRetry(post, retryOptions(options, options.signal));
  options.signal.throwIfAborted();
}

const retryOptions = ({ delayAfter, warn }: RunJobOptions, signal: AbortSignal): RetryOptions => ({
  delayAfter,
  signal,
  onFirstFailure: (reason) => {
    if (!signal.aborted) warn(`posting to RunPod failed (${reason}); retrying`);
  },
});
