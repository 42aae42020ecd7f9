/** The URLs that RunPod gives a worker, with the placeholders `$ID` and `$RUNPOD_POD_ID`. */
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

/** RunPod stores no more of a reason. */
const maxReasonChars = 256;

/** The URL of each call. */
export interface JobUrls {
  take(count: number, hasJobs: boolean): string;
  /** Which jobs to stop; undefined if this queue has no such URL. */
  readonly stop: string | undefined;
  /** For the result of a streamed job. */
  output(jobId: string): string;
  stream(jobId: string): string;
  ping(jobIds: readonly string[], version: string): string | undefined;
  /** The heartbeat of a worker that cannot work. */
  unhealthy(problem: HealthProblem, version: string): string | undefined;
}

const takeOne = '/job-take/';

/** `$ID` is the worker in the URL for taking jobs and the job in those for posting; `$RUNPOD_POD_ID` is always the worker. */
export function jobUrls({ take, output, stream, ping }: UrlTemplates, workerId: string): JobUrls {
  const withWorker = (template: string) => fill(template, '$RUNPOD_POD_ID', workerId);
  const takeUrl = fill(withWorker(take), '$ID', workerId);
  return {
    take(count, hasJobs) {
      const jobInProgress = { job_in_progress: hasJobs ? '1' : '0' };
      return count > 1 && takeUrl.includes(takeOne)
        ? withQuery(takeUrl.replace(takeOne, '/job-take-batch/'), {
            batch_size: String(count),
            ...jobInProgress,
          })
        : withQuery(takeUrl, jobInProgress);
    },
    stop: takeUrl.includes(takeOne) ? takeUrl.replace(takeOne, '/job-stop/') : undefined,
    output: (jobId) => withQuery(fill(withWorker(output), '$ID', jobId), { isStream: 'true' }),
    stream: (jobId) => withQuery(fill(withWorker(stream), '$ID', jobId), { isStream: 'false' }),
    ping(jobIds, version) {
      const jobs: Record<string, string> = jobIds.length > 0 ? { job_id: jobIds.join(',') } : {};
      return ping && withQuery(withWorker(ping), { ...jobs, runpod_version: version });
    },
    unhealthy({ check, reason }, version) {
      const problem = { status: 'unhealthy', check, reason: reason.slice(0, maxReasonChars) };
      return ping && withQuery(withWorker(ping), { ...problem, runpod_version: version });
    },
  };
}

const fill = (template: string, name: string, value: string) =>
  template.replaceAll(name, () => encodeURIComponent(value));

function withQuery(url: string, query: Readonly<Record<string, string>>): string {
  return `${url}${url.includes('?') ? '&' : '?'}${new URLSearchParams(query)}`;
}
