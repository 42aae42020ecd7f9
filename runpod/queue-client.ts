import { Agent } from 'undici';
import { requestFollowingRedirects } from './follow-redirects.ts';
import { type ParsedJobs, parseJobs, parseStopList } from './job.ts';
import type { JobResult } from './job-result.ts';
import type { HealthProblem, JobUrls } from './job-urls.ts';

/** What the queue answered to a question for work. */
export type TakeResult =
  | ({ readonly outcome: 'jobs' } & ParsedJobs)
  | { readonly outcome: 'none' }
  /** It says 400, as it does to a worker that it has frozen and woken, and to one that it does not know. */
  | { readonly outcome: 'unwelcome' }
  /** It asks for patience. */
  | { readonly outcome: 'busy' }
  | { readonly outcome: 'failed'; readonly why: string };

export type StopListResult =
  | { readonly outcome: 'told'; readonly ids: readonly string[] }
  /** This queue has no such channel. */
  | { readonly outcome: 'unknown' }
  | { readonly outcome: 'failed'; readonly why: string };

export type PostResult =
  | { readonly outcome: 'accepted' }
  /** The queue does not want it: asking again is of little use. */
  | { readonly outcome: 'refused'; readonly why: string }
  | { readonly outcome: 'failed'; readonly why: string };

export interface QueueClientOptions {
  readonly urls: JobUrls;
  readonly apiKey: string;
  /** Of this program, as the queue is told it. */
  readonly version: string;
}

/** How long the queue may hold a question for work, as its own SDK has it. */
const longPollMs = 90_000;
const postTimeoutMs = 60_000;

/** RunPod's job API, one call each; nothing is tried twice here. Its addresses may hold secrets: no failure names them. */
export class QueueClient {
  readonly #parts: QueueClientOptions;
  readonly #agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 10_000 } });

  constructor(parts: QueueClientOptions) {
    this.#parts = parts;
  }

  /** Asks for up to so many jobs. The signal ends the waiting for an answer, never the reading of one: jobs would be lost with it. */
  async take(count: number, hasJobs: boolean, signal: AbortSignal): Promise<TakeResult> {
    try {
      const { status, json } = await this.#get(this.#parts.urls.take(count, hasJobs), longPollMs, signal);
      if (status === 200) return { outcome: 'jobs', ...parseJobs(json) };
      if (status === 204) return { outcome: 'none' };
      if (status === 400) return { outcome: 'unwelcome' };
      return status === 429 ? { outcome: 'busy' } : { outcome: 'failed', why: `it answered ${status}` };
    } catch (error) {
      return isTimeout(error) ? { outcome: 'none' } : { outcome: 'failed', why: wordsOf(error) };
    }
  }

  /** Waits until jobs are no longer wanted, or for as long as the queue likes to. */
  async stopList(signal: AbortSignal): Promise<StopListResult> {
    const { stop } = this.#parts.urls;
    if (stop === undefined) return { outcome: 'unknown' };
    try {
      const { status, json } = await this.#get(stop, longPollMs, signal);
      if (status === 404 || status === 405) return { outcome: 'unknown' };
      if (status >= 300) return { outcome: 'failed', why: `it answered ${status}` };
      return { outcome: 'told', ids: parseStopList(json) };
    } catch (error) {
      return isTimeout(error) ? { outcome: 'told', ids: [] } : { outcome: 'failed', why: wordsOf(error) };
    }
  }

  postPiece(jobId: string, piece: unknown, signal: AbortSignal): Promise<PostResult> {
    return this.#post(this.#parts.urls.stream(jobId), jobId, { output: piece }, signal);
  }

  postResult(jobId: string, result: JobResult, signal: AbortSignal): Promise<PostResult> {
    return this.#post(this.#parts.urls.output(jobId), jobId, result, signal);
  }

  /** Undefined is good. */
  async ping(jobIds: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<string | undefined> {
    const { urls, version } = this.#parts;
    return this.#beat(urls.ping(jobIds, version), timeoutMs, signal);
  }

  /** As ping does. */
  tellTrouble(trouble: HealthProblem, timeoutMs: number, signal: AbortSignal): Promise<string | undefined> {
    const { urls, version } = this.#parts;
    return this.#beat(urls.unhealthy(trouble, version), timeoutMs, signal);
  }

  /** Who asks, too: what comes without a name is what firewalls of the web turn away. */
  get #headers() {
    const { apiKey, version } = this.#parts;
    return { authorization: apiKey, 'user-agent': `${version} (Node ${process.version})`, accept: '*/*' };
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  async #beat(url: string | undefined, timeoutMs: number, signal: AbortSignal): Promise<string | undefined> {
    if (url === undefined) return undefined;
    try {
      const { status } = await this.#get(url, timeoutMs, signal);
      return status < 300 ? undefined : `it answered ${status}`;
    } catch (error) {
      return wordsOf(error);
    }
  }

  async #get(url: string, timeoutMs: number, signal: AbortSignal) {
    const waiting = new AbortController();
    const stop = () => waiting.abort(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    const timer = setTimeout(() => waiting.abort(new DOMException('timeout', 'TimeoutError')), timeoutMs);
    try {
      const answer = await requestFollowingRedirects(url, {
        method: 'GET',
        headers: this.#headers,
        dispatcher: this.#agent,
        signal: waiting.signal,
      });
      signal.removeEventListener('abort', stop);
      const text = await answer.body.text();
      return { status: answer.statusCode, json: parsed(text) };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    }
  }

  /** JSON that says it is a form: so RunPod's SDK has it. */
  async #post(url: string, jobId: string, body: object, signal: AbortSignal): Promise<PostResult> {
    try {
      const { statusCode, body: answer } = await requestFollowingRedirects(url, {
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
      await answer.dump();
      if (statusCode < 300) return { outcome: 'accepted' };
      return { outcome: mayPass(statusCode) ? 'failed' : 'refused', why: `it answered ${statusCode}` };
    } catch (error) {
      return { outcome: 'failed', why: wordsOf(error) };
    }
  }
}

const mayPass = (status: number) => status >= 500 || status === 408 || status === 425 || status === 429;

const isTimeout = (error: unknown) => (error as Error).name === 'TimeoutError';

/** Undefined for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function wordsOf(error: unknown): string {
  const { code, name } = error as NodeJS.ErrnoException;
  return code ?? name;
}
