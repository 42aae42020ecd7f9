import type { Readable } from 'node:stream';
import { Agent, type Dispatcher, request } from 'undici';
import { z } from 'zod';

export interface GatewayAddress {
  /** `http://host:port` */
  readonly origin: string;
  /** The key that the gateway knows its client by. */
  readonly key: string | undefined;
}

export interface GatewayRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export type GatewayResponse = Dispatcher.ResponseData;

/** The gateway is starting, or has crashed. */
export interface Unreachable {
  readonly outcome: 'unreachable';
  readonly reason: string;
}

const health = z.object({ status: z.string(), slots: z.object({ total: z.number() }) });

const healthTimeoutMs = 5000;

/** The gateway as the processes beside it use it: the runner of batches and the queue worker. */
export class GatewayClient {
  readonly key: string | undefined;
  readonly #origin: string;
  /** Without timeouts: the gateway limits how long a request may queue and run. */
  readonly #agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });

  constructor({ origin, key }: GatewayAddress) {
    this.#origin = origin;
    this.key = key;
  }

  /** How many requests it serves at the same time; 0 while no model is ready. */
  async slots(): Promise<number> {
    try {
      const { body } = await request(`${this.#origin}/health`, {
        dispatcher: this.#agent,
        signal: AbortSignal.timeout(healthTimeoutMs),
      });
      const { status, slots } = health.parse(await body.json());
      return status === 'ready' ? slots.total : 0;
    } catch {
      return 0;
    }
  }

  /** Resolves with what `read` makes of the response. Throws only the reason of the signal. */
  async send<T>(
    { path, ...options }: GatewayRequest,
    read: (response: GatewayResponse) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T | Unreachable> {
    try {
      return await read(
        await request(`${this.#origin}${path}`, { ...options, dispatcher: this.#agent, signal }),
      );
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

export async function readText(body: Readable): Promise<string> {
  return Buffer.concat(await body.toArray()).toString();
}
