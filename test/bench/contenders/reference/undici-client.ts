import type { ServerResponse } from 'node:http';
import { type Dispatcher, Pool } from 'undici';
import {
  type Exchange,
  responseHeaders,
  type SendUpstream,
  type UpstreamCall,
  upstreamPath,
} from './exchange.ts';

/** A client over TCP. */
export function undiciClient(origin: string): SendUpstream {
  const pool = new Pool(origin, { connections: 4096, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
  return (exchange, response, body) => {
    const relay = new ResponseRelay(exchange, response);
    const headers = { 'content-type': 'application/json', 'x-request-id': exchange.id };
    pool.dispatch({ path: upstreamPath, method: 'POST', headers, body }, relay);
    return relay;
  };
}

class ResponseRelay implements Dispatcher.DispatchHandler, UpstreamCall {
  private controller: Dispatcher.DispatchController | undefined = undefined;
  private readonly exchange: Exchange;
  private readonly response: ServerResponse;

  constructor(exchange: Exchange, response: ServerResponse) {
    this.exchange = exchange;
    this.response = response;
  }

  abort(): void {
    if (!this.response.writableFinished) this.controller?.abort(new Error('the client left'));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.response.destroyed) this.abort();
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    const { exchange, response } = this;
    exchange.status = status;
    const [type, length] = [headers['content-type'], headers['content-length']] as (string | undefined)[];
    response.writeHead(status, responseHeaders(exchange, type, length));
  }

  onResponseData(controller: Dispatcher.DispatchController, bytes: Buffer): void {
    const { exchange, response } = this;
    exchange.bytes += bytes.length;
    if (response.write(bytes)) return;
    controller.pause();
    response.once('drain', () => controller.resume());
  }

  onResponseEnd(): void {
    this.response.end();
  }

  onResponseError(): void {
    if (this.response.headersSent) this.response.destroy();
    else this.response.writeHead(502).end();
  }
}
