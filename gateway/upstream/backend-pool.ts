import type { BackendAddress } from '../../health/backend.ts';
import { hostAndPort } from '../../health/request-backend.ts';
import {
  type AfterStreams,
  BackendConnection,
  type ConnectionOwner,
  type ConnectionTarget,
} from './backend-connection.ts';
import { ShuttingDown } from './failure.ts';
import { type ResponseHandler, UpstreamRequest, type UpstreamRequestOptions } from './upstream-request.ts';

export interface BackendPoolOptions {
  /** The longest time to connect over TCP, ms; 0 leaves it to the operating system. */
  readonly connectTimeoutMs?: number;
  /** How long a connection over TCP takes requests, ms. Then the name of its host, which may have moved, is looked up again. */
  readonly maxAgeMs?: number;
}

/** How long a connection has to be idle before the operating system finds out whether the other side is still there, ms. */
const PROBED_AFTER = 60_000;

/**
 * The HTTP/1.1 client of one llama-server, over its unix socket or over TCP: POST with the body in memory, one request at a
 * time on a connection, as many connections as needed. It does not queue: waiting is the scheduler's business. A client for
 * all purposes costs several times as much, above all where the connection ends with the response, as after each stream of
 * llama-server (docs/performance.md). Whether this one does so is found out with the first streams.
 */
export class BackendPool implements ConnectionOwner {
  readonly target: ConnectionTarget;
  readonly #all = new Set<BackendConnection>();
  readonly #free: BackendConnection[] = [];
  /** Unknown until the first stream has ended. */
  #afterStreams: AfterStreams = 'unknown';
  destroyed = false;

  constructor(address: BackendAddress, options: BackendPoolOptions = {}) {
    this.target = targetOf(address, options);
  }

  /** `handler` may be called before this returns. */
  send(options: UpstreamRequestOptions, handler: ResponseHandler): UpstreamRequest {
    const request = new UpstreamRequest(options, handler);
    if (this.destroyed) request.fail(new ShuttingDown('the gateway shuts down'));
    else (this.#takeFree() ?? this.#connect()).send(request);
    return request;
  }

  /** Ends all requests that are running. */
  destroy(reason: Error = new ShuttingDown('the gateway shuts down')): void {
    this.destroyed = true;
    for (const connection of [...this.#all]) connection.fail(reason);
  }

  get afterStreams(): AfterStreams {
    return this.#afterStreams;
  }

  onAfterStream(isOpen: boolean): void {
    // One that was closed counts for good: a request on a connection that is being closed is lost.
    if (this.#afterStreams !== 'closed') this.#afterStreams = isOpen ? 'kept' : 'closed';
  }

  onFree(connection: BackendConnection): void {
    this.#free.push(connection);
  }

  onClosed(connection: BackendConnection): void {
    this.#all.delete(connection);
    const at = this.#free.indexOf(connection);
    if (at !== -1) this.#free.splice(at, 1);
  }

  /** The one that was used last, so that connections too many become idle and close. */
  #takeFree(): BackendConnection | undefined {
    let connection = this.#free.pop();
    while (connection?.isOpen === false) connection = this.#free.pop();
    return connection;
  }

  #connect(): BackendConnection {
    const connection = new BackendConnection(this);
    this.#all.add(connection);
    return connection;
  }
}

function targetOf(
  address: BackendAddress,
  { connectTimeoutMs = 0, maxAgeMs = 60_000 }: BackendPoolOptions,
): ConnectionTarget {
  const { host } = new URL(address.origin);
  const { socketPath: path } = address;
  // The operating system accepts or refuses a connection to a unix socket at once, and its path does not move.
  if (path !== undefined) return { host, socket: { path }, connectTimeoutMs: 0, maxAgeMs: 0 };
  const socket = { noDelay: true, keepAlive: true, keepAliveInitialDelay: PROBED_AFTER };
  return { host, socket: { ...hostAndPort(address.origin), ...socket }, connectTimeoutMs, maxAgeMs };
}
