import type { ResponseHeaders } from './response-parser.ts';

export interface UpstreamRequestOptions {
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** The connection ends with the response, as after a stream of llama-server: unless this backend keeps it. */
  readonly closesConnection?: boolean;
  /** The longest wait for the head of the response, ms; 0 is no limit. */
  readonly headersTimeout?: number;
  /** The longest silence after it. */
  readonly bodyTimeout?: number;
}

/**
 * Receives a response. One of `onEnd` and `onError` is called once, as the last; an error that another one throws goes to
 * `onError`.
 */
export interface ResponseHandler {
  onHead(status: number, headers: ResponseHeaders): void;
  onBody(bytes: Buffer): void;
  onEnd(): void;
  onError(error: Error): void;
}

/** What a request does with its connection. */
export interface RequestConnection {
  fail(error: Error): void;
  pause(): void;
  resume(): void;
}

/** One request on a connection. */
export class UpstreamRequest {
  readonly options: UpstreamRequestOptions;
  readonly #handler: ResponseHandler;
  #connection: RequestConnection | undefined = undefined;
  isPaused = false;

  constructor(options: UpstreamRequestOptions, handler: ResponseHandler) {
    this.options = options;
    this.#handler = handler;
  }

  start(connection: RequestConnection): void {
    this.#connection = connection;
  }

  /** Closes the connection. Its handler receives the reason, unless the request is over. */
  abort(reason: Error): void {
    this.#connection?.fail(reason);
  }

  /** Stops to read the response. */
  pause(): void {
    this.isPaused = true;
    this.#connection?.pause();
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.#connection?.resume();
  }

  onHead(status: number, headers: ResponseHeaders): void {
    this.#handler.onHead(status, headers);
  }

  onBody(bytes: Buffer): void {
    this.#handler.onBody(bytes);
  }

  /** Called once, when the connection has finished with it. */
  complete(): void {
    this.#connection = undefined;
    try {
      this.#handler.onEnd();
    } catch (error) {
      this.#handler.onError(error as Error);
    }
  }

  /** Called once, like `complete`. */
  fail(error: Error): void {
    this.#connection = undefined;
    this.#handler.onError(error);
  }
}

/** The head of a request, in latin1. Throws if a header value is not valid. */
export function formatHead(
  host: string,
  { path, headers, body, closesConnection = false }: UpstreamRequestOptions,
  closesAfterStreams: boolean,
): string {
  const connection = closesConnection && closesAfterStreams ? 'close' : 'keep-alive';
  let head = `POST ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: ${connection}\r\n`;
  for (let i = 0; i < headers.length; i += 2)
    head += `${headers[i]}: ${checkHeaderValue(headers[i + 1] ?? '')}\r\n`;
  return `${head}content-length: ${body.length}\r\n\r\n`;
}

/** RFC 9110, section 5.5. Throws if the value would end the line, or is not latin1. */
function checkHeaderValue(value: string): string {
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) throw new TypeError('a header value with a control character');
  return value;
}
