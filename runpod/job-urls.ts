/** The addresses that RunPod gives a worker, with `$ID` and `$RUNPOD_POD_ID` still to be filled in. */
export interface UrlTemplates {
  readonly take: string;
  readonly output: string;
  readonly stream: string;
  readonly ping: string | undefined;
}

/** Why a worker cannot work. */
export interface HealthProblem {
  /** A name for what has failed. */
  readonly check: string;
  readonly reason: string;
}

/** RunPod keeps no more of a reason. */
const mostCharsOfReason = 256;

/** Where to ask what. */
export interface JobUrls {
  take(count: number, hasJobs: boolean): string;
  /** Which jobs are no longer wanted; undefined where there is no telling. */
  readonly stop: string | undefined;
  /** For the result of a job that was streamed. */
  output(jobId: string): string;
  stream(jobId: string): string;
  ping(jobIds: readonly string[], version: string): string | undefined;
  /** The heartbeat of a worker that cannot work. */
  unhealthy(trouble: HealthProblem, version: string): string | undefined;
}

const one = '/job-take/';

/** `$ID` is the worker in the address for taking and the job in those for posting; `$RUNPOD_POD_ID` is always the worker. */
export function jobUrls({ take, output, stream, ping }: UrlTemplates, workerId: string): JobUrls {
  const ofWorker = (template: string) => fill(template, '$RUNPOD_POD_ID', workerId);
  const taking = fill(ofWorker(take), '$ID', workerId);
  return {
    take(count, hasJobs) {
      const jobInProgress = { job_in_progress: hasJobs ? '1' : '0' };
      return count > 1 && taking.includes(one)
        ? withQuery(taking.replace(one, '/job-take-batch/'), { batch_size: String(count), ...jobInProgress })
        : withQuery(taking, jobInProgress);
    },
    stop: taking.includes(one) ? taking.replace(one, '/job-stop/') : undefined,
    output: (jobId) => withQuery(fill(ofWorker(output), '$ID', jobId), { isStream: 'true' }),
    stream: (jobId) => withQuery(fill(ofWorker(stream), '$ID', jobId), { isStream: 'false' }),
    ping(jobIds, version) {
      const jobs: Record<string, string> = jobIds.length > 0 ? { job_id: jobIds.join(',') } : {};
      return ping && withQuery(ofWorker(ping), { ...jobs, runpod_version: version });
    },
    unhealthy({ check, reason }, version) {
      const trouble = { status: 'unhealthy', check, reason: reason.slice(0, mostCharsOfReason) };
      return ping && withQuery(ofWorker(ping), { ...trouble, runpod_version: version });
    },
  };
}

const fill = (template: string, name: string, value: string) =>
  template.replaceAll(name, () => encodeURIComponent(value));

function withQuery(url: string, query: Readonly<Record<string, string>>): string {
  return `${url}${url.includes('?') ? '&' : '?'}${new URLSearchParams(query)}`;
}
