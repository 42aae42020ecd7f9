import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { waitFor } from './wait-for.ts';

/** One HTTP response, as received. */
export interface RawResponse {
  readonly status: number;
  /** Names in lower case; the values of a repeated header are joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A client that sends exactly the given bytes, for requests that HTTP libraries do not let a test make. */
export class RawClient implements AsyncDisposable {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #read = 0;
  isClosed = false;

  /** `from` is the local address: any in 127.0.0.0/8. */
  static async connect(port: number, from = '127.0.0.1'): Promise<RawClient> {
    const socket = createConnection({ port, host: '127.0.0.1', localAddress: from, allowHalfOpen: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  private constructor(socket: Socket) {
    this.socket = socket.setNoDelay();
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
    });
    for (const event of ['end', 'close', 'error']) {
      socket.on(event, () => {
        this.isClosed = true;
      });
    }
  }

  /** All text received so far. */
  get text(): string {
    return this.#received.toString();
  }

  send(bytes: string | Buffer): this {
    if (!this.socket.destroyed) this.socket.write(bytes);
    return this;
  }

  /** The same, one character per byte. */
  get latin1(): string {
    return this.#received.toString('latin1');
  }

  /** The next complete response; undefined if the server closes the connection without one. */
  async response(): Promise<RawResponse | undefined> {
    const found = await waitFor('a response', () => {
      const parsed = parseResponse(this.#received.subarray(this.#read).toString('latin1'), this.isClosed);
      return parsed ?? (this.isClosed && 'closed');
    });
    if (found === 'closed') return undefined;
    this.#read += found.length;
    return found.response;
  }

  async receives(text: string): Promise<void> {
    await waitFor(`the client to receive ${JSON.stringify(text)}`, () => this.text.includes(text));
  }

  async closed(): Promise<void> {
    await waitFor('the server to close the connection', () => this.isClosed);
  }

  /** Closes the connection with a TCP reset. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
  }
}

function parseResponse(text: string, isClosed: boolean) {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const [statusLine = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const name = line.slice(0, line.indexOf(':')).toLowerCase();
    const value = line.slice(line.indexOf(':') + 1).trim();
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  const status = Number(statusLine.split(' ')[1]);
  const rest = text.slice(headEnd + 4);
  const body = status < 200 || status === 204 ? { text: '', length: 0 } : readBody(rest, headers, isClosed);
  if (body === undefined) return undefined;
  const response: RawResponse = { status, headers, body: Buffer.from(body.text, 'latin1').toString() };
  return { response, length: headEnd + 4 + body.length };
}

function readBody(rest: string, headers: Readonly<Record<string, string>>, isClosed: boolean) {
  if (headers['transfer-encoding'] === 'chunked') return readChunks(rest);
  const length = headers['content-length'];
  if (length === undefined) return isClosed ? { text: rest, length: rest.length } : undefined;
  const bytes = Number(length);
  return rest.length < bytes ? undefined : { text: rest.slice(0, bytes), length: bytes };
}

function readChunks(rest: string) {
  let text = '';
  let at = 0;
  for (;;) {
    const lineEnd = rest.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(rest.slice(at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (rest.length < next) return undefined;
    if (size === 0) return { text, length: next };
    text += rest.slice(lineEnd + 2, lineEnd + 2 + size);
    at = next;
  }
}
