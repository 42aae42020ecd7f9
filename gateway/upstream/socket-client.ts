import type { Dispatcher } from 'undici';
import { ShuttingDown } from './failure.ts';
import { SocketConnection } from './socket-connection.ts';
import { type RequestOptions, SocketRequest } from './socket-request.ts';

/**
 * Carries requests to our own llama-server over its unix socket: undici's interface for a part of its work, and a part
 * of its price, above all where the connection ends with the answer, as behind each of llama-server's streams
 * (docs/performance.md). `dispatch` alone, POST with the body in memory, one request at a time on a connection, as many as needed:
 * waiting is admission's business.
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

  /** Ends what is under way. */
  async destroy(reason = new ShuttingDown('the gateway shuts down')): Promise<void> {
    this.destroyed = true;
    for (const connection of [...this.#all]) connection.fail(reason);
  }

  /** The last one used, so that those too many grow old. */
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
