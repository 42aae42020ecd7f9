import type { Readable } from 'node:stream';
import { Agent, request } from 'undici';
import { z } from 'zod';
import { type JobFailure, parseFailure } from './job-result.ts';
import type { JobRequest } from './read-input.ts';

/** What the gateway answered to a job's request. */
export type GatewayResponse =
  | { readonly outcome: 'whole'; readonly output: unknown }
  | { readonly outcome: 'stream'; readonly body: AsyncIterable<Uint8Array> }
  | { readonly outcome: 'failed'; readonly failure: JobFailure }
  /** It may well answer a little later: it is starting, full, or has just died. */
  | { readonly outcome: 'not-now'; readonly failure: JobFailure; readonly retryAfterMs: number | undefined };

export interface GatewayAddress {
  /** `http://host:port` */
  readonly origin: string;
  readonly key: string | undefined;
}

const health = z.object({ status: z.string(), slots: z.object({ total: z.number() }) });

const askTimeoutMs = 5000;

/** The gateway as a client sees it. */
export class GatewayClient {
  readonly #address: GatewayAddress;
  /** A request may wait in line, for a model that loads, or be long at work: the gateway has the limits. */
  readonly #agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });

  constructor(address: GatewayAddress) {
    this.#address = address;
  }

  /** How many requests it answers at the same time; 0 while it is not ready. */
  async capacity(): Promise<number> {
    try {
      const { body } = await request(`${this.#address.origin}/health`, {
        dispatcher: this.#agent,
        signal: AbortSignal.timeout(askTimeoutMs),
      });
      const { status, slots } = health.parse(await body.json());
      return status === 'ready' ? slots.total : 0;
    } catch {
      return 0;
    }
  }

  /** Throws nothing but the reason of the signal. */
  async ask(
    { method, path, body }: JobRequest,
    requestId: string,
    signal: AbortSignal,
  ): Promise<GatewayResponse> {
    const { origin, key } = this.#address;
    try {
      const answer = await request(`${origin}${path}`, {
        method,
        headers: {
          'x-request-id': requestId,
          ...(key !== undefined && { 'x-api-key': key }),
          ...(body && { 'content-type': 'application/json' }),
        },
        body: body ? JSON.stringify(body) : null,
        dispatcher: this.#agent,
        signal,
      });
      const isStream = String(answer.headers['content-type']).startsWith('text/event-stream');
      return isStream
        ? { outcome: 'stream', body: answer.body }
        : read(answer.statusCode, await textOf(answer.body), answer.headers['retry-after-ms']);
    } catch (error) {
      signal.throwIfAborted();
      const { code, name } = error as NodeJS.ErrnoException;
      const message = `the gateway could not be asked (${code ?? name})`;
      return { outcome: 'not-now', failure: { message, type: 'bad_gateway' }, retryAfterMs: undefined };
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }
}

async function textOf(body: Readable): Promise<string> {
  return Buffer.concat(await body.toArray()).toString();
}

/** An answer whose head went out early may tell of its failure in its body alone. */
function read(status: number, text: string, retryAfter: unknown): GatewayResponse {
  const output = parsed(text);
  const error = (output as { readonly error?: unknown } | null)?.error;
  if (status < 400 && !error) return { outcome: 'whole', output };
  const failure = parseFailure(error ?? output, status);
  if (status !== 503 && status !== 429) return { outcome: 'failed', failure };
  const retryAfterMs = typeof retryAfter === 'string' ? Number(retryAfter) : undefined;
  return { outcome: 'not-now', failure, retryAfterMs };
}

/** JSON, or the text itself, as some of llama-server's answers are. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
