import { connect, type Socket } from 'node:net';
import { deadlines, type Timed } from './deadlines.ts';
import { TimeoutExceeded } from './failure.ts';
import { type ResponseHeaders, ResponseParser, type ResponseParserHandler } from './response-parser.ts';
import { formatHead, type SocketRequest, type SocketRequestOptions } from './socket-request.ts';

/** What the backend does with a connection after a stream. All builds of llama-server so far close it without announcing it. */
export type AfterStreams = 'unknown' | 'kept' | 'closed';

export interface ConnectionOwner {
  readonly afterStreams: AfterStreams;
  /** The backend closed a connection after a stream, or left it open. */
  onAfterStream(isOpen: boolean): void;
  /** The response is complete, and the connection can take another request. */
  onFree(connection: SocketConnection): void;
  onClosed(connection: SocketConnection): void;
}

/** llama-server closes idle connections after 5 s. A request on a connection that is being closed would be lost; ms. */
const MAX_IDLE = 3000;

/** How long it is watched whether the backend closes a connection after a stream, ms. llama-server takes 4 to 20. */
const AFTER_STREAM = 1000;

/** All sockets read into it, and ResponseParser copies what it passes on: no slab of 64 KiB for each chunk. */
const readBuffer = Buffer.allocUnsafe(64 * 1024);

/** Requests are written from it, head and body as one: the kernel takes them at once, as an idle connection has room for them. */
let writeBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** One connection to llama-server's socket, with one request at a time. */
export class SocketConnection implements ResponseParserHandler, Timed {
  deadline = Number.POSITIVE_INFINITY;
  watchKey: number | undefined = undefined;
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #parser = new ResponseParser(this);
  #request: SocketRequest | undefined = undefined;
  /** The longest silence, ms; 0 is no limit. */
  #maxSilence = 0;
  /** The last response was a stream. */
  #isAfterStream = false;

  constructor(path: string, owner: ConnectionOwner) {
    this.#owner = owner;
    this.#socket = connect({ path, onread: { buffer: readBuffer, callback: (count) => this.#read(count) } });
    this.#socket.on('end', () => this.#end()).on('error', (error) => this.fail(error));
    this.#socket.once('close', () => {
      deadlines.delete(this);
      owner.onClosed(this);
    });
    deadlines.add(this);
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  send(request: SocketRequest): void {
    this.#request = request;
    if (!request.start(this)) return;
    this.#parser.reset();
    this.#limitSilence(request.options.headersTimeout);
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
    if (this.#request !== undefined) this.fail(new TimeoutExceeded('the backend sent nothing for too long'));
    else if (this.#isAfterStream && this.#owner.afterStreams === 'unknown') this.#observeLater();
    else this.#socket.destroy();
  }

  onHead(status: number, headers: ResponseHeaders): void {
    const request = this.#request;
    if (request === undefined) return;
    this.#limitSilence(request.options.bodyTimeout);
    request.onHead(status, headers);
  }

  onBody(bytes: Buffer): void {
    this.#request?.onBody(bytes);
  }

  #limitSilence(ms = 0): void {
    this.#maxSilence = ms;
    this.deadline = deadlines.after(ms);
  }

  #write(options: SocketRequestOptions, closesAfterStreams: boolean): void {
    const head = formatHead(options, closesAfterStreams);
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

  #finish(request: SocketRequest): void {
    this.#request = undefined;
    this.#isAfterStream = request.options.reset === true;
    if (!this.#parser.isReusable) this.#socket.destroy();
    else if (this.#isAfterStream) this.#finishStream(request);
    else this.#becomeFree(request);
    request.complete();
  }

  #finishStream(request: SocketRequest): void {
    const { afterStreams } = this.#owner;
    if (afterStreams === 'kept') this.#becomeFree(request);
    else if (afterStreams === 'closed') this.#socket.destroy();
    else {
      if (request.paused) this.#socket.resume();
      this.#limitSilence(AFTER_STREAM);
    }
  }

  #becomeFree(request: SocketRequest): void {
    if (request.paused) this.#socket.resume();
    this.#limitSilence(MAX_IDLE);
    this.#owner.onFree(this);
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
