import type { Readable } from 'node:stream';
import { Agent, request } from 'undici';
import { z } from 'zod';
import { type JobFailure, parseFailure } from './job.ts';
import type { JobRequest } from './read-input.ts';

/** The response of the gateway to the request of a job. */
export type GatewayResponse =
  | { readonly outcome: 'complete'; readonly output: unknown }
  | { readonly outcome: 'stream'; readonly body: AsyncIterable<Uint8Array> }
  | { readonly outcome: 'failed'; readonly failure: JobFailure }
  /** It may succeed later: the gateway is starting, full, or has just crashed. */
  | {
      readonly outcome: 'unavailable';
      readonly failure: JobFailure;
      readonly retryAfterMs: number | undefined;
    };

export interface GatewayAddress {
  /** `http://host:port` */
  readonly origin: string;
  readonly key: string | undefined;
}

const health = z.object({ status: z.string(), slots: z.object({ total: z.number() }) });

const healthTimeoutMs = 5000;

/** A client of the gateway. */
export class GatewayClient {
  readonly #address: GatewayAddress;
  /** Without timeouts: the gateway limits how long a request may queue and run. */
  readonly #agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });

  constructor(address: GatewayAddress) {
    this.#address = address;
  }

  /** How many requests it serves at the same time; 0 while it is not ready. */
  async capacity(): Promise<number> {
    try {
      const { body } = await request(`${this.#address.origin}/health`, {
        dispatcher: this.#agent,
        signal: AbortSignal.timeout(healthTimeoutMs),
      });
      const { status, slots } = health.parse(await body.json());
      return status === 'ready' ? slots.total : 0;
    } catch {
      return 0;
    }
  }

  /** Throws only the reason of the signal. */
  async send(
    { method, path, body }: JobRequest,
    requestId: string,
    signal: AbortSignal,
  ): Promise<GatewayResponse> {
    const { origin, key } = this.#address;
    try {
      const response = await request(`${origin}${path}`, {
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
      const isStream = String(response.headers['content-type']).startsWith('text/event-stream');
      return isStream
        ? { outcome: 'stream', body: response.body }
        : parseResponse(
            response.statusCode,
            await readText(response.body),
            response.headers['retry-after-ms'],
          );
    } catch (error) {
      signal.throwIfAborted();
      const { code, name } = error as NodeJS.ErrnoException;
      const message = `the gateway could not be reached (${code ?? name})`;
      return { outcome: 'unavailable', failure: { message, type: 'bad_gateway' }, retryAfterMs: undefined };
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }
}

async function readText(body: Readable): Promise<string> {
  return Buffer.concat(await body.toArray()).toString();
}

/** A response whose head was sent early may have its error in the body alone. */
function parseResponse(status: number, text: string, retryAfter: unknown): GatewayResponse {
  const output = jsonOrText(text);
  const error = (output as { readonly error?: unknown } | null)?.error;
  if (status < 400 && !error) return { outcome: 'complete', output };
  const failure = parseFailure(error ?? output, status);
  if (status !== 503 && status !== 429) return { outcome: 'failed', failure };
  const retryAfterMs = typeof retryAfter === 'string' ? Number(retryAfter) : undefined;
  return { outcome: 'unavailable', failure, retryAfterMs };
}

/** Some of llama-server's responses are plain text. */
function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
