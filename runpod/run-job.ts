import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayClient, GatewayResponse } from './gateway-client.ts';
import type { Job } from './job.ts';
import {
  failedResult,
  type JobFailure,
  type JobResult,
  parseFailure,
  type WorkerIdentity,
} from './job-result.ts';
import { JobStopped } from './job-stopped.ts';
import type { StreamPace } from './next-post.ts';
import { postWithRetry, type RetryResult } from './post-with-retry.ts';
import type { QueueClient } from './queue-client.ts';
import { type JobRequest, readInput } from './read-input.ts';
import { type RelayResult, relayStream } from './relay-stream.ts';

export interface RunJobOptions {
  readonly queue: QueueClient;
  readonly gateway: GatewayClient;
  readonly worker: WorkerIdentity;
  readonly pace: StreamPace;
  /** How long a gateway that cannot take the job now is asked again, ms. */
  readonly patienceMs: number;
  readonly pauseAfter: (failures: number) => number;
  /** Aborted with a JobStopped, this ends the work on the job. */
  readonly signal: AbortSignal;
  /** Aborted when this worker is to end: what the gateway does not take now is not tried again. */
  readonly stopping: AbortSignal;
  /** Aborted when not even a result can be posted any more. */
  readonly end: AbortSignal;
  readonly warn: (words: string) => void;
}

export type JobOutcome = 'completed' | 'failed' | 'cancelled' | 'lost';

/** RunPod takes no larger result, even of those that are waited for; of others half as much (docs/runpod-worker.md). */
const mostBytesOfResult = 20 * 1024 ** 2;

/** RunPod takes no larger piece of a stream; a result may be larger. */
const mostCharsOfOnePiece = 1_000_000;

/**
 * Does a job and posts what comes of it: settles when RunPod has that. Never rejects. All answers go as streams, those
 * in one piece too, because that is what RunPod's route for OpenAI's clients gets from its own worker for vLLM.
 */
export async function runJob(job: Job, parts: RunJobOptions): Promise<JobOutcome> {
  const ending = new AbortController();
  const signal = AbortSignal.any([parts.signal, ending.signal]);
  const made = await make(job, { ...parts, signal }).catch((error: unknown) => brokenOff(error, parts));
  // What may still be read of a stream is not wanted any more.
  ending.abort();
  if (made === undefined) return 'cancelled';
  return postResult(job, made, parts);
}

/** What RunPod does not take fails the job, so that its client hears of it instead of waiting for nothing. */
async function postResult(job: Job, made: JobResult, parts: RunJobOptions): Promise<JobOutcome> {
  const bytes = Buffer.byteLength(JSON.stringify(made));
  const post = (result: JobResult) =>
    postWithRetry(() => parts.queue.postResult(job.id, result, parts.end), insistence(parts, parts.end));
  const posted: RetryResult =
    bytes > mostBytesOfResult
      ? { outcome: 'refused', why: 'it takes no more than 20 MiB' }
      : await post(made);
  if (posted.outcome === 'accepted') return 'error' in made ? 'failed' : 'completed';
  if (posted.outcome === 'given-up' || 'error' in made) return 'lost';
  const message = `RunPod did not take the result of ${bytes} bytes (${posted.why}). Ask for a stream, or for less.`;
  parts.warn(message);
  const { outcome } = await post(failedResult({ message, type: 'result_refused' }, parts.worker));
  return outcome === 'accepted' ? 'failed' : 'lost';
}

/** Undefined where nobody wants to hear of the job any more. */
function brokenOff(error: unknown, { signal, worker }: RunJobOptions): JobResult | undefined {
  const reason: unknown = signal.aborted ? signal.reason : error;
  if (reason instanceof JobStopped && reason.by === 'queue') return undefined;
  const type = reason instanceof JobStopped ? 'draining' : 'internal_error';
  return failedResult({ message: (reason as Error).message, type }, worker);
}

async function make(job: Job, parts: RunJobOptions): Promise<JobResult> {
  const reading = readInput(job.input);
  if (!reading.ok) {
    return failedResult(
      { message: reading.problem, type: 'invalid_request_error', status: 400 },
      parts.worker,
    );
  }
  const deadline = performance.now() + parts.patienceMs;
  for (let failures = 1; ; failures++) {
    const attempt = await once(job, reading.request, parts);
    if (!('outcome' in attempt)) return attempt;
    if (performance.now() >= deadline || parts.stopping.aborted)
      return failedResult(attempt.failure, parts.worker);
    const signal = AbortSignal.any([parts.signal, parts.stopping]);
    await sleep(attempt.retryAfterMs ?? parts.pauseAfter(failures), undefined, { signal }).catch(() => {});
    parts.signal.throwIfAborted();
  }
}

type NotNow = Extract<GatewayResponse, { outcome: 'not-now' }>;

async function once(job: Job, request: JobRequest, parts: RunJobOptions): Promise<JobResult | NotNow> {
  const answer = await parts.gateway.ask(request, job.id, parts.signal);
  if (answer.outcome === 'not-now') return answer;
  if (answer.outcome === 'failed') return failedResult(answer.failure, parts.worker);
  if (answer.outcome === 'whole') return postWhole(job, answer.output, parts);
  const relayed = await relayStream(answer.body, (piece) => postPiece(job, piece, parts), parts.pace);
  parts.signal.throwIfAborted();
  const mayBeSentAgain = relayed.isBroken && relayed.pieces.length === 0;
  return mayBeSentAgain
    ? { outcome: 'not-now', failure: brokenStream, retryAfterMs: undefined }
    : streamResult(relayed, parts.worker);
}

async function postWhole(job: Job, output: unknown, parts: RunJobOptions): Promise<JobResult> {
  if (JSON.stringify(output).length <= mostCharsOfOnePiece) await postPiece(job, output, parts);
  return { output: [output] };
}

const brokenStream: JobFailure = { message: 'the stream of the gateway broke off', type: 'bad_gateway' };

function streamResult({ pieces, error, isBroken }: RelayResult, worker: WorkerIdentity): JobResult {
  if (isBroken) return failedResult(brokenStream, worker);
  return error === undefined ? { output: pieces } : failedResult(parseFailure(error), worker);
}

/** A piece that RunPod refuses is in the result all the same. */
async function postPiece({ id }: Job, piece: unknown, parts: RunJobOptions): Promise<void> {
  const attempt = () => parts.queue.postPiece(id, piece, parts.signal);
  await postWithRetry(attempt, insistence(parts, parts.signal));
  parts.signal.throwIfAborted();
}

const insistence = ({ pauseAfter, warn }: RunJobOptions, signal: AbortSignal) => ({
  pauseAfter,
  signal,
  onTrouble: (why: string) => {
    if (!signal.aborted) warn(`RunPod did not take what was posted (${why}): it is posted again`);
  },
});
