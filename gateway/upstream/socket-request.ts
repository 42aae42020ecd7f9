import type { Dispatcher } from 'undici';
import { ResponseParser, type ResponseParserHandler } from './response-parser.ts';

/** What of undici's options the way over a socket knows. */
export interface RequestOptions {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
  /** The connection is closed behind the answer. */
  readonly reset?: boolean;
  /** The longest wait for the head of the answer, ms; 0 is no limit. */
  readonly headersTimeout?: number;
  /** The longest silence after it. */
  readonly bodyTimeout?: number;
}

/** What a request steers of the connection that it is on. */
export interface ConnectionControl {
  pause(): void;
  resume(): void;
  /** The longest silence from now on, ms; undefined and 0 are no limit. */
  setIdleTimeout(ms: number | undefined): void;
  /** Closes it, which is how llama-server learns that nobody waits any more. */
  fail(error: Error): void;
}

/** One request on a connection: hands its answer to undici's kind of handler, and is what that steers it by. */
export class SocketRequest implements Dispatcher.DispatchController, ResponseParserHandler {
  readonly options: RequestOptions;
  readonly parser = new ResponseParser(this);
  readonly #handler: Dispatcher.DispatchHandler;
  #line: ConnectionControl | undefined;
  #reason: Error | null = null;
  paused = false;

  constructor(options: RequestOptions, handler: Dispatcher.DispatchHandler) {
    this.options = options;
    this.#handler = handler;
  }

  get aborted(): boolean {
    return this.#reason !== null;
  }

  get reason(): Error | null {
    return this.#reason;
  }

  /** False where it was aborted before anything was sent. */
  start(line: ConnectionControl): boolean {
    this.#line = line;
    this.#handler.onRequestStart?.(this, undefined);
    return this.#line !== undefined;
  }

  abort(reason: Error): void {
    this.#reason ??= reason;
    this.#line?.fail(reason);
  }

  pause(): void {
    this.paused = true;
    this.#line?.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.#line?.resume();
  }

  onHead(status: number, headers: Record<string, string>): void {
    this.#line?.setIdleTimeout(this.options.bodyTimeout);
    this.#handler.onResponseStart?.(this, status, headers, '');
  }

  onBody(bytes: Buffer): void {
    if (this.#line !== undefined) this.#handler.onResponseData?.(this, bytes);
  }

  /** To be called once, when the connection has no more to do with it. */
  complete(): void {
    this.#line = undefined;
    try {
      this.#handler.onResponseEnd?.(this, {});
    } catch (error) {
      this.#handler.onResponseError?.(this, error as Error);
    }
  }

  /** As `complete`. */
  fail(error: Error): void {
    this.#line = undefined;
    this.#handler.onResponseError?.(this, error);
  }
}
