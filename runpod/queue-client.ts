import { Agent, type Dispatcher, request } from 'undici';
import { type JobResult, type ParsedJobs, parseJobs, parseStopList } from './job.ts';
import type { HealthProblem, JobUrls } from './job-urls.ts';

/** The response of the queue to a request for jobs. */
export type TakeResult =
  | ({ readonly outcome: 'jobs' } & ParsedJobs)
  | { readonly outcome: 'none' }
  /** Status 400, for a worker that was frozen and resumed, and for one unknown to the queue. */
  | { readonly outcome: 'rejected' }
  /** Too many requests: ask again later. */
  | { readonly outcome: 'busy' }
  | { readonly outcome: 'failed'; readonly reason: string };

export type StopListResult =
  | { readonly outcome: 'received'; readonly ids: readonly string[] }
  /** This queue has no stop lists. */
  | { readonly outcome: 'unsupported' }
  | { readonly outcome: 'failed'; readonly reason: string };

export type PostResult =
  | { readonly outcome: 'accepted' }
  /** The queue rejects it; another attempt is unlikely to help. */
  | { readonly outcome: 'rejected'; readonly reason: string }
  | { readonly outcome: 'failed'; readonly reason: string };

export interface QueueClientOptions {
  readonly urls: JobUrls;
  readonly apiKey: string;
  /** The version of this program, as reported to the queue. */
  readonly version: string;
}

/** How long the queue may hold a request for jobs, as in RunPod's SDK. */
const longPollMs = 90_000;
const postTimeoutMs = 60_000;

/** RunPod's job API, one call per method, without retries. Its URLs may contain secrets, so no failure names them. */
export class QueueClient {
  readonly #options: QueueClientOptions;
  readonly #agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 10_000 } });

  constructor(options: QueueClientOptions) {
    this.#options = options;
  }

  /** Requests up to `count` jobs. The signal ends the wait for a response, but not its reading: the jobs would be lost. */
  async take(count: number, hasJobs: boolean, signal: AbortSignal): Promise<TakeResult> {
    try {
      const { status, json } = await this.#get(this.#options.urls.take(count, hasJobs), longPollMs, signal);
      if (status === 200) return { outcome: 'jobs', ...parseJobs(json) };
      if (status === 204) return { outcome: 'none' };
      if (status === 400) return { outcome: 'rejected' };
      return status === 429 ? { outcome: 'busy' } : { outcome: 'failed', reason: `status ${status}` };
    } catch (error) {
      return isTimeout(error) ? { outcome: 'none' } : { outcome: 'failed', reason: reasonOf(error) };
    }
  }

  /** Waits until jobs have to be stopped, or until the queue responds without any. */
  async stopList(signal: AbortSignal): Promise<StopListResult> {
    const { stop } = this.#options.urls;
    if (stop === undefined) return { outcome: 'unsupported' };
    try {
      const { status, json } = await this.#get(stop, longPollMs, signal);
      if (status === 404 || status === 405) return { outcome: 'unsupported' };
      if (status >= 300) return { outcome: 'failed', reason: `status ${status}` };
      return { outcome: 'received', ids: parseStopList(json) };
    } catch (error) {
      return isTimeout(error)
        ? { outcome: 'received', ids: [] }
        : { outcome: 'failed', reason: reasonOf(error) };
    }
  }

  postPiece(jobId: string, piece: unknown, signal: AbortSignal): Promise<PostResult> {
    return this.#post(this.#options.urls.stream(jobId), jobId, { output: piece }, signal);
  }

  postResult(jobId: string, result: JobResult, signal: AbortSignal): Promise<PostResult> {
    return this.#post(this.#options.urls.output(jobId), jobId, result, signal);
  }

  /** Sends a heartbeat. Returns why it failed, or undefined. */
  async ping(jobIds: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<string | undefined> {
    const { urls, version } = this.#options;
    return this.#heartbeat(urls.ping(jobIds, version), timeoutMs, signal);
  }

  /** Like ping, with the reason why this worker cannot work. */
  reportUnhealthy(
    problem: HealthProblem,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { urls, version } = this.#options;
    return this.#heartbeat(urls.unhealthy(problem, version), timeoutMs, signal);
  }

  /** With a user agent, because web application firewalls reject requests without one. */
  get #headers() {
    const { apiKey, version } = this.#options;
    return { authorization: apiKey, 'user-agent': `${version} (Node ${process.version})`, accept: '*/*' };
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  async #heartbeat(
    url: string | undefined,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    if (url === undefined) return undefined;
    try {
      const { status } = await this.#get(url, timeoutMs, signal);
      return status < 300 ? undefined : `status ${status}`;
    } catch (error) {
      return reasonOf(error);
    }
  }

  async #get(url: string, timeoutMs: number, signal: AbortSignal) {
    const waiting = new AbortController();
    const stop = () => waiting.abort(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    const timer = setTimeout(() => waiting.abort(new DOMException('timeout', 'TimeoutError')), timeoutMs);
    try {
      const response = await requestFollowingRedirects(url, {
        method: 'GET',
        headers: this.#headers,
        dispatcher: this.#agent,
        signal: waiting.signal,
      });
      signal.removeEventListener('abort', stop);
      const text = await response.body.text();
      return { status: response.statusCode, json: parseJson(text) };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    }
  }

  /** JSON with the content type of a form, like RunPod's SDK. */
  async #post(url: string, jobId: string, body: object, signal: AbortSignal): Promise<PostResult> {
    try {
      const { statusCode, body: response } = await requestFollowingRedirects(url, {
        method: 'POST',
        headers: {
          ...this.#headers,
          'content-type': 'application/x-www-form-urlencoded',
          charset: 'utf-8',
          'x-request-id': jobId,
        },
        body: JSON.stringify(body),
        dispatcher: this.#agent,
        signal: AbortSignal.any([signal, AbortSignal.timeout(postTimeoutMs)]),
      });
      await response.dump();
      if (statusCode < 300) return { outcome: 'accepted' };
      return { outcome: isTemporary(statusCode) ? 'failed' : 'rejected', reason: `status ${statusCode}` };
    } catch (error) {
      return { outcome: 'failed', reason: reasonOf(error) };
    }
  }
}

const isTemporary = (status: number) => status >= 500 || status === 408 || status === 425 || status === 429;

const isTimeout = (error: unknown) => (error as Error).name === 'TimeoutError';

/** Undefined if it is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  const { code, name } = error as NodeJS.ErrnoException;
  return code ?? name;
}

interface QueueRequest {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly dispatcher: Dispatcher;
  readonly signal: AbortSignal;
}

const maxRedirects = 5;
/** For these, clients repeat a POST as a GET, which would deliver nothing and appear to succeed. */
const redirectsOfGet = new Set([301, 302, 303]);
const redirectsOfAll = new Set([307, 308]);

/** Sends a request and follows redirects. Our key goes only to the host that RunPod has configured. */
async function requestFollowingRedirects(
  url: string,
  options: QueueRequest,
): Promise<Dispatcher.ResponseData> {
  let target = new URL(url);
  for (let redirects = 0; ; redirects++) {
    const { authorization, ...others } = options.headers;
    const isSameHost =
      target.host === new URL(url).host && (target.protocol === 'https:' || url.startsWith('http:'));
    const headers = isSameHost ? options.headers : others;
    const response = await request(target, { ...options, headers });
    const next = redirectTarget(response, options.method, target);
    if (next === undefined || redirects === maxRedirects) return response;
    await response.body.dump();
    target = next;
  }
}

function redirectTarget(
  { statusCode, headers }: Dispatcher.ResponseData,
  method: string,
  from: URL,
): URL | undefined {
  const isFollowed = redirectsOfAll.has(statusCode) || (method === 'GET' && redirectsOfGet.has(statusCode));
  const { location } = headers;
  if (!isFollowed || typeof location !== 'string' || !URL.canParse(location, from.href)) return undefined;
  const next = new URL(location, from);
  return /^https?:$/.test(next.protocol) ? next : undefined;
}
