import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { deadlines, type Timed } from './deadlines.ts';
import { ConnectTimeout, TimeoutExceeded } from './failure.ts';
import { type ResponseHeaders, ResponseParser, type ResponseParserHandler } from './response-parser.ts';
import { formatHead, type UpstreamRequest, type UpstreamRequestOptions } from './upstream-request.ts';

/** What the backend does with a connection after a stream. All builds of llama-server so far close it without announcing it. */
export type AfterStreams = 'unknown' | 'kept' | 'closed';

/** Where connections go. */
export interface ConnectionTarget {
  readonly socket: NetConnectOpts;
  /** For the header of this name. */
  readonly host: string;
  /** 0 is no limit. */
  readonly connectTimeoutMs: number;
  /** A connection takes no more requests after it; 0 is no limit. */
  readonly maxAgeMs: number;
}

export interface ConnectionOwner {
  readonly target: ConnectionTarget;
  readonly afterStreams: AfterStreams;
  /** The backend closed a connection after a stream, or left it open. */
  onAfterStream(isOpen: boolean): void;
  /** The response is complete, and the connection can take another request. */
  onFree(connection: BackendConnection): void;
  onClosed(connection: BackendConnection): void;
}

/** llama-server closes idle connections after 5 s. A request on a connection that is being closed would be lost; ms. */
const MAX_IDLE = 3000;

/** How much earlier than a backend that says when it closes idle connections, ms. */
const IDLE_MARGIN = 1000;

/** How long it is watched whether the backend closes a connection after a stream, ms. llama-server takes 4 to 20. */
const AFTER_STREAM = 1000;

/** All sockets read into it, and ResponseParser copies what it passes on: no slab of 64 KiB for each chunk. */
const readBuffer = Buffer.allocUnsafe(64 * 1024);

/** Requests are written from it, head and body as one: the kernel takes them at once, as an idle connection has room for them. */
let writeBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** One connection to llama-server, with one request at a time. */
export class BackendConnection implements ResponseParserHandler, Timed {
  deadline = Number.POSITIVE_INFINITY;
  watchKey: number | undefined = undefined;
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #parser = new ResponseParser(this);
  #request: UpstreamRequest | undefined = undefined;
  /** The longest silence, ms; 0 is no limit. */
  #maxSilence = 0;
  /** The last response was a stream. */
  #isAfterStream = false;
  /** No request begins that might be idle on it later than this. */
  readonly #closesAt: number;
  #maxIdle: number | undefined = undefined;

  constructor(owner: ConnectionOwner) {
    const { socket, connectTimeoutMs, maxAgeMs } = owner.target;
    this.#owner = owner;
    this.#closesAt = deadlines.after(maxAgeMs);
    const onread = { buffer: readBuffer, callback: (count: number) => this.#read(count) };
    this.#socket = connect({ ...socket, onread });
    this.#socket.on('end', () => this.#end()).on('error', (error) => this.fail(firstOf(error)));
    if (connectTimeoutMs > 0) this.#socket.once('connect', () => this.#onConnect());
    this.#socket.once('close', () => {
      deadlines.delete(this);
      owner.onClosed(this);
    });
    deadlines.add(this);
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  send(request: UpstreamRequest): void {
    this.#request = request;
    request.start(this);
    this.#parser.reset();
    const { connectTimeoutMs } = this.#owner.target;
    const isConnecting = connectTimeoutMs > 0 && this.#socket.connecting;
    this.#limitSilence(isConnecting ? connectTimeoutMs : request.options.headersTimeout);
    try {
      this.#write(request.options, this.#owner.afterStreams === 'closed');
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
    this.#limitSilence(0);
    this.#socket.pause();
  }

  resume(): void {
    this.#limitSilence(this.#request?.options.bodyTimeout);
    this.#socket.resume();
  }

  onDeadline(): void {
    if (this.#socket.connecting) this.fail(new ConnectTimeout('the backend cannot be reached in time'));
    else if (this.#request !== undefined)
      this.fail(new TimeoutExceeded('the backend sent nothing for too long'));
    else if (this.#isAfterStream && this.#owner.afterStreams === 'unknown') this.#observeLater();
    else this.#socket.destroy();
  }

  onHead(status: number, headers: ResponseHeaders): void {
    const request = this.#request;
    if (request === undefined) return;
    this.#maxIdle ??= readMaxIdle(headers['keep-alive']);
    this.#limitSilence(request.options.bodyTimeout);
    request.onHead(status, headers);
  }

  onBody(bytes: Buffer): void {
    this.#request?.onBody(bytes);
  }

  #onConnect(): void {
    this.#limitSilence(this.#request?.options.headersTimeout);
  }

  #limitSilence(ms = 0): void {
    this.#maxSilence = ms;
    this.deadline = deadlines.after(ms);
  }

  #write(options: UpstreamRequestOptions, closesAfterStreams: boolean): void {
    const head = formatHead(this.#owner.target.host, options, closesAfterStreams);
    const { body } = options;
    const length = head.length + body.length;
    const socket = this.#socket;
    if (socket.connecting || length > writeBuffer.length) {
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(body);
      socket.uncork();
      return;
    }
    writeBuffer.write(head, 'latin1');
    body.copy(writeBuffer, head.length);
    socket.write(writeBuffer.subarray(0, length));
    // If not all of it was taken, the socket keeps the buffer.
    if (socket.writableLength > 0) writeBuffer = Buffer.allocUnsafeSlow(writeBuffer.length);
  }

  /** Returns true to read on. */
  #read(count: number): boolean {
    const request = this.#request;
    // Bytes on an idle connection belong to no request.
    if (request === undefined) {
      this.#socket.destroy();
      return true;
    }
    this.deadline = deadlines.after(this.#maxSilence);
    try {
      this.#parser.parse(readBuffer, count);
      if (this.#parser.isDone && this.#request === request) this.#finish(request);
    } catch (error) {
      this.fail(error as Error);
    }
    return true;
  }

  #finish(request: UpstreamRequest): void {
    this.#request = undefined;
    this.#isAfterStream = request.options.closesConnection === true;
    if (!this.#parser.isReusable) this.#socket.destroy();
    else if (this.#isAfterStream) this.#finishStream(request);
    else this.#becomeFree(request);
    request.complete();
  }

  #finishStream(request: UpstreamRequest): void {
    const { afterStreams } = this.#owner;
    if (afterStreams === 'kept') this.#becomeFree(request);
    else if (afterStreams === 'closed') this.#socket.destroy();
    else {
      if (request.isPaused) this.#socket.resume();
      this.#limitSilence(AFTER_STREAM);
    }
  }

  #becomeFree(request: UpstreamRequest): void {
    if (request.isPaused) this.#socket.resume();
    this.#limitSilence(this.#maxIdle);
    if (this.deadline > this.#closesAt) this.#socket.destroy();
    else this.#owner.onFree(this);
  }

  /** The event loop may have been busy: what arrived meanwhile, such as the end of the connection, is read first. */
  #observeLater(): void {
    this.#limitSilence(AFTER_STREAM);
    setImmediate(() => {
      if (this.isOpen) this.#owner.onAfterStream(true);
      this.#socket.destroy();
    });
  }

  #end(): void {
    if (this.#request !== undefined && this.#parser.end()) this.#finish(this.#request);
    else {
      if (this.#request === undefined && this.#isAfterStream) this.#owner.onAfterStream(false);
      this.fail(new Error('the backend closed the connection'));
    }
  }
}

/** From the value of `Keep-Alive`, such as `timeout=5, max=100`: how long the connection may be idle, ms. */
function readMaxIdle(keepAlive: string | undefined): number {
  const seconds = /(?:^|[\s,;])timeout=(\d{1,6})/i.exec(keepAlive ?? '')?.[1];
  return seconds === undefined
    ? MAX_IDLE
    : Math.min(MAX_IDLE, Math.max(Number(seconds) * 1000 - IDLE_MARGIN, 1));
}

/** The first error of a host with several addresses that all refuse. */
const firstOf = (error: Error): Error => (error instanceof AggregateError ? error.errors[0] : error);
