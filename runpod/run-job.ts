import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Gateway } from './gateway.ts';
import { insist } from './insist.ts';
import type { Job } from './job.ts';
import { failed, failureOf, type JobFailure, type JobResult, type Worker } from './job-result.ts';
import { JobStopped } from './job-stopped.ts';
import type { StreamPace } from './next-post.ts';
import type { Queue } from './queue.ts';
import { type JobRequest, readInput } from './read-input.ts';
import { type Relayed, relayStream } from './relay-stream.ts';

export interface RunJobParts {
  readonly queue: Queue;
  readonly gateway: Gateway;
  readonly worker: Worker;
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

export type JobEnd = 'completed' | 'failed' | 'cancelled' | 'lost';

interface Made {
  readonly result: JobResult;
  readonly isStream: boolean;
}

/** Does a job and posts what comes of it: settles when RunPod has that. Never rejects. */
export async function runJob(job: Job, parts: RunJobParts): Promise<JobEnd> {
  const ending = new AbortController();
  const within = { ...parts, signal: AbortSignal.any([parts.signal, ending.signal]) };
  const made = await make(job, within).catch((error: unknown) => brokenOff(error, parts));
  // What may still be read of a stream is not wanted any more.
  ending.abort();
  if (made === undefined) return 'cancelled';
  const posted = await insist(
    () => parts.queue.postResult(job.id, made.result, made.isStream, parts.end),
    insistence(parts, parts.end),
  );
  if (posted !== 'accepted') return 'lost';
  return 'error' in made.result ? 'failed' : 'completed';
}

/** Undefined where nobody wants to hear of the job any more. */
function brokenOff(error: unknown, { signal, worker }: RunJobParts): Made | undefined {
  const reason: unknown = signal.aborted ? signal.reason : error;
  if (reason instanceof JobStopped && reason.by === 'queue') return undefined;
  const type = reason instanceof JobStopped ? 'draining' : 'internal_error';
  return whole(failed({ message: (reason as Error).message, type }, worker));
}

async function make(job: Job, parts: RunJobParts): Promise<Made> {
  const reading = readInput(job.input);
  if (!reading.ok) {
    const status = 400;
    return whole(failed({ message: reading.problem, type: 'invalid_request_error', status }, parts.worker));
  }
  const deadline = performance.now() + parts.patienceMs;
  for (let failures = 1; ; failures++) {
    const attempt = await once(job, reading.request, parts);
    if (attempt.outcome === 'made') return attempt;
    if (performance.now() >= deadline || parts.stopping.aborted)
      return whole(failed(attempt.failure, parts.worker));
    const signal = AbortSignal.any([parts.signal, parts.stopping]);
    await sleep(attempt.retryAfterMs ?? parts.pauseAfter(failures), undefined, { signal }).catch(() => {});
    parts.signal.throwIfAborted();
  }
}

type Attempt = (Made & { readonly outcome: 'made' }) | Extract<Answer, { outcome: 'not-now' }>;

async function once(job: Job, request: JobRequest, parts: RunJobParts): Promise<Attempt> {
  const answer = await parts.gateway.ask(request, job.id, parts.signal);
  if (answer.outcome === 'whole') return { outcome: 'made', ...whole({ output: answer.output }) };
  if (answer.outcome === 'failed') return { outcome: 'made', ...whole(failed(answer.failure, parts.worker)) };
  if (answer.outcome === 'not-now') return answer;
  const relayed = await relayStream(answer.body, (piece) => postPiece(job, piece, parts), parts.pace);
  parts.signal.throwIfAborted();
  if (relayed.isBroken && relayed.pieces.length === 0) {
    return { outcome: 'not-now', failure: brokenStream, retryAfterMs: undefined };
  }
  return { outcome: 'made', isStream: true, result: streamResult(relayed, parts.worker) };
}

const brokenStream: JobFailure = { message: 'the stream of the gateway broke off', type: 'bad_gateway' };

function streamResult({ pieces, error, isBroken }: Relayed, worker: Worker): JobResult {
  if (isBroken) return failed(brokenStream, worker);
  return error === undefined ? { output: pieces } : failed(failureOf(error), worker);
}

/** A piece that RunPod refuses is in the result all the same. */
async function postPiece({ id }: Job, piece: string, parts: RunJobParts): Promise<void> {
  const attempt = () => parts.queue.postPiece(id, piece, parts.signal);
  await insist(attempt, insistence(parts, parts.signal));
  parts.signal.throwIfAborted();
}

const whole = (result: JobResult): Made => ({ result, isStream: false });

const insistence = ({ pauseAfter, warn }: RunJobParts, signal: AbortSignal) => ({
  pauseAfter,
  signal,
  onTrouble: (why: string) => warn(`RunPod did not take what was posted (${why}): it is posted again`),
});
