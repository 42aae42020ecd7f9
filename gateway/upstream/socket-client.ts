import type { Dispatcher } from 'undici';
import { ShuttingDown } from './failure.ts';
import { type AfterStreams, type ConnectionOwner, SocketConnection } from './socket-connection.ts';
import { SocketRequest, type SocketRequestOptions } from './socket-request.ts';

/**
 * Sends requests to our own llama-server over its unix socket. It implements the part of undici's interface that is needed,
 * at a part of the cost, above all where the connection ends with the response, as after each stream of llama-server
 * (docs/performance.md). Whether this one does so is found out with the first streams. Only `dispatch`: POST with the body in memory, one request at a time on a connection, as many
 * connections as needed.
 */
export class SocketClient implements ConnectionOwner {
  readonly #path: string;
  readonly #all = new Set<SocketConnection>();
  readonly #free: SocketConnection[] = [];
  /** Unknown until the first stream has ended. */
  #afterStreams: AfterStreams = 'unknown';
  destroyed = false;

  constructor(path: string) {
    this.#path = path;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const request = new SocketRequest(options as SocketRequestOptions, handler);
    if (this.destroyed) request.fail(new ShuttingDown('the gateway shuts down'));
    else (this.#takeFree() ?? this.#connect()).send(request);
    return true;
  }

  /** Ends all requests that are running. */
  async destroy(reason: Error = new ShuttingDown('the gateway shuts down')): Promise<void> {
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

  onFree(connection: SocketConnection): void {
    this.#free.push(connection);
  }

  onClosed(connection: SocketConnection): void {
    this.#all.delete(connection);
    const at = this.#free.indexOf(connection);
    if (at !== -1) this.#free.splice(at, 1);
  }

  /** The one that was used last, so that connections too many become idle and close. */
  #takeFree(): SocketConnection | undefined {
    let connection = this.#free.pop();
    while (connection?.isOpen === false) connection = this.#free.pop();
    return connection;
  }

  #connect(): SocketConnection {
    const connection = new SocketConnection(this.#path, this);
    this.#all.add(connection);
    return connection;
  }
}
