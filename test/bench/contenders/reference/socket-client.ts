import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { ChunkedBody } from './chunked-body.ts';
import {
  type Exchange,
  responseHeaders,
  type SendUpstream,
  type UpstreamCall,
  upstreamPath,
} from './exchange.ts';

/** A client over a unix socket: kept connections, a shared buffer for reads, chunks relayed as they are framed. */
export function socketClient(path: string): SendUpstream {
  const idle: Connection[] = [];
  return (exchange, response, body) => {
    const connection = idle.pop() ?? new Connection(path, idle);
    connection.send(exchange, response, body);
    return connection;
  };
}

const readBuffer = Buffer.allocUnsafeSlow(65536);
const endOfHead = '\r\n\r\n';

class Connection implements UpstreamCall {
  private readonly socket: Socket;
  private readonly idle: Connection[];
  /** The request under way. */
  private exchange: Exchange | undefined = undefined;
  private response: ServerResponse | undefined = undefined;
  private isHead = true;
  /** Bytes of a body with a length. */
  private left = 0;
  private chunks: ChunkedBody | undefined = undefined;
  private readonly resume: () => void;

  constructor(path: string, idle: Connection[]) {
    this.idle = idle;
    const callback = (length: number, buffer: Uint8Array) => {
      this.read(Buffer.from(buffer.subarray(0, length)));
      return true;
    };
    this.socket = connect({ path, onread: { buffer: readBuffer, callback } });
    this.resume = () => this.socket.resume();
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      const place = idle.indexOf(this);
      if (place >= 0) idle.splice(place, 1);
      this.response?.destroy();
    });
  }

  send(exchange: Exchange, response: ServerResponse, body: Buffer): void {
    this.exchange = exchange;
    this.response = response;
    this.isHead = true;
    this.chunks = undefined;
    const head = `POST ${upstreamPath} HTTP/1.1\r\nhost: upstream\r\ncontent-type: application/json\r\nx-request-id: ${exchange.id}\r\ncontent-length: ${body.length}${endOfHead}`;
    const request = Buffer.allocUnsafe(head.length + body.length);
    request.write(head, 'latin1');
    body.copy(request, head.length);
    this.socket.write(request);
  }

  abort(exchange: Exchange): void {
    if (this.exchange === exchange) this.socket.destroy();
  }

  private read(bytes: Buffer): void {
    const { exchange, response } = this;
    if (exchange === undefined || response === undefined) {
      this.socket.destroy();
      return;
    }
    const body = this.isHead ? this.readHead(bytes, exchange, response) : bytes;
    if (body.length === 0) return;
    exchange.bytes += body.length;
    if (this.chunks === undefined) {
      this.left -= body.length;
      if (this.left === 0) this.finish(response, body);
      else this.relay(response, body);
      return;
    }
    if (response.socket !== null) this.relay(response.socket, body);
    if (this.chunks.endsWith(body)) this.finish(response);
  }

  /** Returns the rest. The upstream sends the whole head at once. */
  private readHead(bytes: Buffer, exchange: Exchange, response: ServerResponse): Buffer {
    const end = bytes.indexOf(endOfHead);
    const head = bytes.toString('latin1', 0, end);
    exchange.status = Number(head.slice(9, 12));
    const type = /\r\ncontent-type: *([^\r]*)/i.exec(head)?.[1];
    const length = /\r\ncontent-length: *([^\r]*)/i.exec(head)?.[1];
    const headers = responseHeaders(exchange, type, length);
    this.isHead = false;
    if (length === undefined) {
      this.chunks = new ChunkedBody();
      response.writeHead(exchange.status, [...headers, 'transfer-encoding', 'chunked']);
      response.flushHeaders();
      // The frames of the upstream are written to the client's socket as they are.
      response.chunkedEncoding = false;
    } else {
      this.left = Number(length);
      response.writeHead(exchange.status, headers);
    }
    return bytes.subarray(end + endOfHead.length);
  }

  private relay(target: ServerResponse | Socket, bytes: Buffer): void {
    if (target.write(bytes)) return;
    this.socket.pause();
    target.once('drain', this.resume);
  }

  private finish(response: ServerResponse, bytes?: Buffer): void {
    this.exchange = undefined;
    this.response = undefined;
    // A client that leaves now never drains, and would leave the connection paused for the next request.
    this.socket.resume();
    this.idle.push(this);
    response.end(bytes);
  }
}
