import { connect, type Socket } from 'node:net';
import { TimeoutExceeded } from './failure.ts';
import type { ConnectionControl, RequestOptions, SocketRequest } from './socket-request.ts';

export interface ConnectionOwner {
  /** The answer was whole, and the connection takes another request. */
  onFree(connection: SocketConnection): void;
  onClosed(connection: SocketConnection): void;
}

/** llama-server closes an idle connection after 5 s, and a request on one that is just closing would be lost; ms. */
const LONGEST_IDLE = 3000;

/** Up to here head and body are written as one, bytes. */
const SMALL_BODY = 16 * 1024;

/** Every socket reads into it, and AnswerReader copies what it passes on: no slab of 64 KiB for each piece. */
const readBuffer = Buffer.allocUnsafe(64 * 1024);

/** One connection to llama-server's socket, with one request at a time on it. */
export class SocketConnection implements ConnectionControl {
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  #request: SocketRequest | undefined;

  constructor(path: string, owner: ConnectionOwner) {
    this.#owner = owner;
    this.#socket = connect({ path, onread: { buffer: readBuffer, callback: (count) => this.#read(count) } });
    this.#socket.on('end', () => this.#end()).on('error', (error) => this.fail(error));
    this.#socket.on('timeout', () => this.#timeOut()).once('close', () => owner.onClosed(this));
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  send(request: SocketRequest): void {
    this.#request = request;
    if (!request.start(this)) return;
    this.setIdleTimeout(request.options.headersTimeout);
    try {
      this.#write(headOf(request.options), request.options.body);
    } catch (error) {
      this.fail(error as Error);
    }
  }

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

  /** True to read on. */
  #read(count: number): boolean {
    const request = this.#request;
    // Whatever an idle connection brings, it belongs to no request.
    if (request === undefined) this.#socket.destroy();
    else this.#readFor(request, readBuffer.subarray(0, count));
    return true;
  }

  #readFor(request: SocketRequest, piece: Buffer): void {
    try {
      request.parser.parse(piece);
      if (request.parser.isDone && this.#request === request) this.#finish(request);
    } catch (error) {
      this.fail(error as Error);
    }
  }

  #finish(request: SocketRequest): void {
    this.#request = undefined;
    if (request.parser.isReusable && !request.options.reset) {
      if (request.paused) this.#socket.resume();
      this.setIdleTimeout(LONGEST_IDLE);
      this.#owner.onFree(this);
    } else this.#socket.destroy();
    request.complete();
  }

  #end(): void {
    if (this.#request?.parser.end()) this.#finish(this.#request);
    else this.fail(new Error('the backend closed the connection'));
  }

  #timeOut(): void {
    if (this.#request === undefined) this.#socket.destroy();
    else this.fail(new TimeoutExceeded('the backend is silent'));
  }
}

function headOf({ method, path, headers, body, reset = false }: RequestOptions): string {
  const ends = reset ? 'close' : 'keep-alive';
  let head = `${method} ${path} HTTP/1.1\r\nhost: llama-server\r\nconnection: ${ends}\r\n`;
  for (const name in headers) head += `${name}: ${inOneLine(headers[name] ?? '')}\r\n`;
  return `${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n`;
}

/** RFC 9110, section 5.5. What would end the line, or is no byte of latin1, ends the request instead. */
function inOneLine(value: string): string {
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) throw new TypeError('a header value with a control character');
  return value;
}
