import type { Dispatcher } from 'undici';
import type { ResponseHeaders } from './response-parser.ts';

/** The options of undici that are supported over a socket. */
export interface SocketRequestOptions {
  readonly method: string;
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** The connection ends with the response, as after a stream of llama-server: unless this backend keeps it. */
  readonly reset?: boolean;
  /** The longest wait for the head of the response, ms; 0 is no limit. */
  readonly headersTimeout?: number;
  /** The longest silence after it. */
  readonly bodyTimeout?: number;
}

/** What a request does with its connection. */
export interface RequestConnection {
  fail(error: Error): void;
  pause(): void;
  resume(): void;
}

/** One request on a connection. Passes its response to a handler of undici's kind, which controls it in turn. */
export class SocketRequest implements Dispatcher.DispatchController {
  readonly options: SocketRequestOptions;
  readonly #handler: Dispatcher.DispatchHandler;
  #connection: RequestConnection | undefined = undefined;
  #reason: Error | null = null;
  paused = false;

  constructor(options: SocketRequestOptions, handler: Dispatcher.DispatchHandler) {
    this.options = options;
    this.#handler = handler;
  }

  get aborted(): boolean {
    return this.#reason !== null;
  }

  get reason(): Error | null {
    return this.#reason;
  }

  /** Returns false if it was aborted before anything was sent. */
  start(connection: RequestConnection): boolean {
    this.#connection = connection;
    this.#handler.onRequestStart?.(this, undefined);
    return this.#connection !== undefined;
  }

  abort(reason: Error): void {
    this.#reason ??= reason;
    this.#connection?.fail(reason);
  }

  pause(): void {
    this.paused = true;
    this.#connection?.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.#connection?.resume();
  }

  onHead(status: number, headers: ResponseHeaders): void {
    this.#handler.onResponseStart?.(this, status, headers, '');
  }

  onBody(bytes: Buffer): void {
    this.#handler.onResponseData?.(this, bytes);
  }

  /** Called once, when the connection has finished with it. */
  complete(): void {
    this.#connection = undefined;
    try {
      this.#handler.onResponseEnd?.(this, {});
    } catch (error) {
      this.#handler.onResponseError?.(this, error as Error);
    }
  }

  /** Called once, like `complete`. */
  fail(error: Error): void {
    this.#connection = undefined;
    this.#handler.onResponseError?.(this, error);
  }
}

/** The head of a request, in latin1. Throws if a header value is not valid. */
export function formatHead(
  { method, path, headers, body, reset = false }: SocketRequestOptions,
  closesAfterStreams: boolean,
): string {
  const connection = reset && closesAfterStreams ? 'close' : 'keep-alive';
  let head = `${method} ${path} HTTP/1.1\r\nhost: llama-server\r\nconnection: ${connection}\r\n`;
  for (let i = 0; i < headers.length; i += 2)
    head += `${headers[i]}: ${checkHeaderValue(headers[i + 1] ?? '')}\r\n`;
  return `${head}content-length: ${body.length}\r\n\r\n`;
}

/** RFC 9110, section 5.5. Throws if the value would end the line, or is not latin1. */
function checkHeaderValue(value: string): string {
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) throw new TypeError('a header value with a control character');
  return value;
}
