import { connect, type Socket } from 'node:net';
import type { Dispatcher, Pool } from 'undici';
import type { Backend } from '../../health/backend.ts';
import { ShuttingDown, TimeoutExceeded } from './failure.ts';
import { ResponseParser, type ResponseParserHandler } from './response-parser.ts';

/** The connections to the backend. Neither kind queues: waiting is the scheduler's business. */
export type BackendPool = Pool | SocketClient;

export async function createBackendPool(
  { address }: Backend,
  connectTimeoutMs: number,
): Promise<BackendPool> {
  if (address.socketPath !== undefined) return new SocketClient(address.socketPath);
  // Loaded only for a backend elsewhere: undici takes 10 MB and a third of the start-up time.
  const { Pool } = await import('undici');
  return new Pool(address.origin, {
    connections: null,
    pipelining: 1,
    connect: { timeout: connectTimeoutMs },
    // llama-server closes idle connections after 5 s. A request on a connection that is being closed would be lost.
    keepAliveTimeout: 3000,
    keepAliveMaxTimeout: 4000,
  });
}

/**
 * Sends requests to our own llama-server over its unix socket. It implements the part of undici's interface that is needed,
 * at a part of the cost, above all where the connection ends with the response, as after each stream of llama-server
 * (docs/performance.md). Only `dispatch`: POST with the body in memory, one request at a time on a connection, as many
 * connections as needed.
 */
export class SocketClient {
  readonly #path: string;
  readonly #all = new Set<SocketConnection>();
  readonly #free: SocketConnection[] = [];
  destroyed = false;

  constructor(path: string) {
    this.#path = path;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const request = new SocketRequest(options as RequestOptions, handler);
    if (this.destroyed) request.fail(new ShuttingDown('the gateway shuts down'));
    else (this.#takeFree() ?? this.#connect()).send(request);
    return true;
  }

  /** Ends all requests that are running. */
  async destroy(reason = new ShuttingDown('the gateway shuts down')): Promise<void> {
    this.destroyed = true;
    for (const connection of [...this.#all]) connection.fail(reason);
  }

  /** The one that was used last, so that connections too many become idle and close. */
  #takeFree(): SocketConnection | undefined {
    let connection = this.#free.pop();
    while (connection?.isOpen === false) connection = this.#free.pop();
    return connection;
  }

  #connect(): SocketConnection {
    const connection = new SocketConnection(this.#path, {
      onFree: (one) => this.#free.push(one),
      onClosed: (one) => {
        this.#all.delete(one);
        const at = this.#free.indexOf(one);
        if (at !== -1) this.#free.splice(at, 1);
      },
    });
    this.#all.add(connection);
    return connection;
  }
}

/** The options of undici that are supported over a socket. */
export interface RequestOptions {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
  /** The connection is closed after the response. */
  readonly reset?: boolean;
  /** The longest wait for the head of the response, ms; 0 is no limit. */
  readonly headersTimeout?: number;
  /** The longest silence after it. */
  readonly bodyTimeout?: number;
}

export interface ConnectionOwner {
  /** The response is complete, and the connection can take another request. */
  onFree(connection: SocketConnection): void;
  onClosed(connection: SocketConnection): void;
}

/** llama-server closes idle connections after 5 s. A request on a connection that is being closed would be lost; ms. */
const MAX_IDLE = 3000;

/** Up to this size head and body are written as one, bytes. */
const SMALL_BODY = 16 * 1024;

/** All sockets read into it, and ResponseParser copies what it passes on: no slab of 64 KiB for each chunk. */
const readBuffer = Buffer.allocUnsafe(64 * 1024);

/** One connection to llama-server's socket, with one request at a time. */
class SocketConnection {
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  #request: SocketRequest | undefined;

  constructor(path: string, owner: ConnectionOwner) {
    this.#owner = owner;
    this.#socket = connect({ path, onread: { buffer: readBuffer, callback: (count) => this.#read(count) } });
    this.#socket.on('end', () => this.#end()).on('error', (error) => this.fail(error));
    this.#socket.on('timeout', () => this.#onTimeout()).once('close', () => owner.onClosed(this));
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  send(request: SocketRequest): void {
    this.#request = request;
    if (!request.start(this)) return;
    this.setIdleTimeout(request.options.headersTimeout);
    try {
      this.#write(formatHead(request.options), request.options.body);
    } catch (error) {
      this.fail(error as Error);
    }
  }

  /** Closes the connection, which is how llama-server learns that its client has gone. */
  fail(error: Error): void {
    const request = this.#request;
    this.#request = undefined;
    this.#socket.destroy();
    request?.fail(error);
  }

  pause(): void {
    this.setIdleTimeout(0);
    this.#socket.pause();
  }

  resume(): void {
    this.setIdleTimeout(this.#request?.options.bodyTimeout);
    this.#socket.resume();
  }

  /** The longest silence from now on, ms; undefined and 0 are no limit. */
  setIdleTimeout(ms = 0): void {
    this.#socket.setTimeout(ms);
  }

  #write(head: string, body: Buffer | string): void {
    if (body.length <= SMALL_BODY) {
      const bytes = typeof body === 'string' ? Buffer.from(body) : body;
      this.#socket.write(Buffer.concat([Buffer.from(head, 'latin1'), bytes]));
      return;
    }
    this.#socket.cork();
    this.#socket.write(head, 'latin1');
    this.#socket.write(body);
    this.#socket.uncork();
  }

  /** Returns true to read on. */
  #read(count: number): boolean {
    const request = this.#request;
    // Bytes on an idle connection belong to no request.
    if (request === undefined) this.#socket.destroy();
    else this.#readFor(request, readBuffer.subarray(0, count));
    return true;
  }

  #readFor(request: SocketRequest, chunk: Buffer): void {
    try {
      request.parser.parse(chunk);
      if (request.parser.isDone && this.#request === request) this.#finish(request);
    } catch (error) {
      this.fail(error as Error);
    }
  }

  #finish(request: SocketRequest): void {
    this.#request = undefined;
    if (request.parser.isReusable && !request.options.reset) {
      if (request.paused) this.#socket.resume();
      this.setIdleTimeout(MAX_IDLE);
      this.#owner.onFree(this);
    } else this.#socket.destroy();
    request.complete();
  }

  #end(): void {
    if (this.#request?.parser.end()) this.#finish(this.#request);
    else this.fail(new Error('the backend closed the connection'));
  }

  #onTimeout(): void {
    if (this.#request === undefined) this.#socket.destroy();
    else this.fail(new TimeoutExceeded('the backend sent nothing for too long'));
  }
}

function formatHead({ method, path, headers, body, reset = false }: RequestOptions): string {
  const connection = reset ? 'close' : 'keep-alive';
  let head = `${method} ${path} HTTP/1.1\r\nhost: llama-server\r\nconnection: ${connection}\r\n`;
  for (const name in headers) head += `${name}: ${checkHeaderValue(headers[name] ?? '')}\r\n`;
  return `${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n`;
}

/** RFC 9110, section 5.5. Throws if the value would end the line, or is not latin1. */
function checkHeaderValue(value: string): string {
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) throw new TypeError('a header value with a control character');
  return value;
}

/** One request on a connection. Passes its response to a handler of undici's kind, which controls it in turn. */
class SocketRequest implements Dispatcher.DispatchController, ResponseParserHandler {
  readonly options: RequestOptions;
  readonly parser = new ResponseParser(this);
  readonly #handler: Dispatcher.DispatchHandler;
  #connection: SocketConnection | undefined;
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

  /** Returns false if it was aborted before anything was sent. */
  start(connection: SocketConnection): boolean {
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

  onHead(status: number, headers: Record<string, string>): void {
    this.#connection?.setIdleTimeout(this.options.bodyTimeout);
    this.#handler.onResponseStart?.(this, status, headers, '');
  }

  onBody(bytes: Buffer): void {
    if (this.#connection !== undefined) this.#handler.onResponseData?.(this, bytes);
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
