import { z } from 'zod';

/** What is posted when a job is over, as RunPod's own SDK shapes it. */
export type JobResult = { readonly output: unknown } | { readonly error: string };

/** Why a job has failed; of an answer of the gateway, that answer's status and error. */
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

/** RunPod keeps one text of a failure: it is JSON with the SDK's names, and the answer's own status and error. */
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

/** What an answer's error object says, in whichever API's shape. */
export function parseFailure(error: unknown, status?: number): JobFailure {
  const { message, code, type } = errorObject.safeParse(error).data ?? {};
  return {
    message: message ?? `the gateway answered ${status ?? 'so'}`,
    type: code ?? type ?? 'bad_gateway',
    status,
    error,
  };
}

const name = z.string().optional().catch(undefined);
const errorObject = z.object({ message: name, code: name, type: name });
