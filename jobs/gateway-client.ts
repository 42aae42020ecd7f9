import type { Readable } from 'node:stream';
import { Agent, request } from 'undici';
import { z } from 'zod';
import type { GatewayAddress } from './config.ts';

/** One request for a line. */
export interface LineRequest {
  /** The id of the key to act for; empty where no key is required. */
  readonly owner: string;
  readonly batchId: string;
  readonly path: string;
  readonly body: unknown;
  readonly requestId: string;
}

export type LineResponse =
  | {
      readonly outcome: 'responded';
      readonly status: number;
      readonly requestId: string;
      /** The body, which is JSON: it is made so if it is none. */
      readonly json: string;
      readonly retryAfterMs: number | undefined;
      /** The same request would fail again. */
      readonly isFinal: boolean;
      /** The key may not run batches any more: the code says why. */
      readonly keyProblem: string | undefined;
      /** Slots that batches may use at the engines of the model. */
      readonly batchSlots: number | undefined;
    }
  /** The gateway is starting, or has crashed. */
  | { readonly outcome: 'unreachable'; readonly reason: string };

const health = z.object({ status: z.string(), slots: z.object({ total: z.number() }) });

const healthTimeoutMs = 5000;

/** The gateway as the runner uses it: it acts for the keys that own the batches. */
export class GatewayClient {
  readonly #address: GatewayAddress;
  /** Without timeouts: the gateway limits how long a request may run, and a line may wait as long as it has to. */
  readonly #agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });

  constructor(address: GatewayAddress) {
    this.#address = address;
  }

  /** How many slots there are; 0 while no model is ready. */
  async slots(): Promise<number> {
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
  async send(line: LineRequest, signal: AbortSignal): Promise<LineResponse> {
    const { origin, secret } = this.#address;
    try {
      const { statusCode, headers, body } = await request(`${origin}${line.path}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${secret}`,
          'content-type': 'application/json',
          'x-corral-batch': line.batchId,
          'x-corral-on-behalf-of': encodeURIComponent(line.owner),
          'x-request-id': line.requestId,
        },
        body: JSON.stringify(line.body),
        dispatcher: this.#agent,
        signal,
      });
      const text = (name: string) => headers[name]?.toString();
      return {
        outcome: 'responded',
        status: statusCode,
        requestId: text('x-request-id') ?? line.requestId,
        json: toJson(await readText(body)),
        retryAfterMs: toNumber(text('retry-after-ms')),
        isFinal: text('x-should-retry') === 'false',
        keyProblem: text('x-corral-key-problem'),
        batchSlots: toNumber(text('x-corral-batch-slots')),
      };
    } catch (error) {
      signal.throwIfAborted();
      const { code, name } = error as NodeJS.ErrnoException;
      return { outcome: 'unreachable', reason: code ?? name };
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }
}

const toNumber = (text: string | undefined) => (text === undefined ? undefined : Number(text));

async function readText(body: Readable): Promise<string> {
  return Buffer.concat(await body.toArray()).toString();
}

function toJson(text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
}
