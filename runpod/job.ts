import { z } from 'zod';

/** One piece of work from the queue. */
export interface Job {
  readonly id: string;
  /** Any value: a job without a valid input fails with a reason for its client. */
  readonly input: unknown;
}

export interface ParsedJobs {
  readonly jobs: readonly Job[];
  /** The number of jobs without an id, which cannot even be failed. */
  readonly unreadable: number;
}

const job = z.object({ id: z.string().min(1), input: z.unknown().optional() });
const stopList = z.object({ jobsToStop: z.array(z.unknown()) });

/** Reads one job or a list of jobs; anything else contains none. */
export function parseJobs(response: unknown): ParsedJobs {
  const entries = (Array.isArray(response) ? response : [response]).filter((entry) => isObject(entry));
  const jobs = entries.flatMap((entry) => {
    const { data } = job.safeParse(entry);
    return data === undefined ? [] : [{ id: data.id, input: data.input }];
  });
  const isEmpty = entries.every((entry) => Object.keys(entry as object).length === 0);
  return { jobs, unreadable: isEmpty ? 0 : entries.length - jobs.length };
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The ids of the jobs to stop. Invalid entries are skipped. */
export function parseStopList(response: unknown): readonly string[] {
  const entries = stopList.safeParse(response).data?.jobsToStop ?? [];
  return entries.filter((id): id is string => typeof id === 'string');
}

/** What is posted when a job is over, in the format of RunPod's SDK. */
export type JobResult = { readonly output: unknown } | { readonly error: string };

/** Why a job has failed; for a response of the gateway, with its status and error. */
export interface JobFailure {
  readonly message: string;
  readonly type: string;
  readonly status?: number | undefined;
  /** OpenAI's error object, or Anthropic's. */
  readonly error?: unknown;
}

export interface WorkerIdentity {
  readonly id: string;
  readonly version: string;
}

/** RunPod stores one text for a failure: JSON with the field names of its SDK, and the status and error of the response. */
export function failedResult(
  { message, type, status, error }: JobFailure,
  worker: WorkerIdentity,
): JobResult {
  return {
    error: JSON.stringify({
      error_type: type,
      error_message: message,
      error_traceback: '',
      ...(status !== undefined && { status }),
      ...(error !== undefined && { error }),
      worker_id: worker.id,
      runpod_version: worker.version,
    }),
  };
}

/** Reads the error object of a response, in the format of either API. */
export function parseFailure(error: unknown, status?: number): JobFailure {
  const { message, code, type } = errorObject.safeParse(error).data ?? {};
  return {
    message:
      message ?? `the gateway responded with ${status === undefined ? 'an error' : `status ${status}`}`,
    type: code ?? type ?? 'bad_gateway',
    status,
    error,
  };
}

const text = z.string().optional().catch(undefined);
const errorObject = z.object({ message: text, code: text, type: text });
