import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { addressGroup } from '../http/client-address.ts';
import { Slab } from '../slab.ts';

/** Connections over the limit that get an error response at the same time; any more are closed at once. */
const MAX_OVER_LIMIT = 128;
/** How long a connection over the limit has to send its request, ms. */
const REQUEST_TIMEOUT = 2000;

export interface ConnectionLimits {
  readonly max: number;
  /** How long a complete response may wait for its client to read it, ms; 0 is no limit. */
  readonly stallTimeoutMs: number;
}

export interface ConnectionLimiter {
  readonly open: number;
  /** Idle connections closed to make room, so far. */
  readonly evicted: number;
  /** Connections over the limit, so far. */
  readonly rejected: number;
  /** Whether this connection is over the limit: its request gets an error, and it is closed. */
  isOverLimit(socket: Socket): boolean;
}

/**
 * Limits the number of connections. At the limit, a new connection evicts an idle one, from the address that holds the
 * most of them. Connections with a request in progress are kept. Only when all are busy the new one is rejected.
 */
export function limitConnections(
  server: Server,
  { max, stallTimeoutMs }: ConnectionLimits,
): ConnectionLimiter {
  const idle = new IdleConnections<Socket>();
  const groups = new Map<Socket, string>();
  const requests = new Map<Socket, number>();
  const overLimit = new WeakSet<Socket>();
  const stalled = new StalledResponses(stallTimeoutMs);
  let [evicted, rejected] = [0, 0];
  server.maxConnections = max + MAX_OVER_LIMIT;

  function makeRoom(): boolean {
    if (groups.size < max) return true;
    const socket = idle.evictionCandidate;
    if (socket === undefined) return false;
    evicted += 1;
    forget(socket);
    socket.destroy();
    return true;
  }
  function forget(socket: Socket): void {
    idle.delete(groups.get(socket) ?? '', socket);
    groups.delete(socket);
    requests.delete(socket);
  }
  function reject(socket: Socket): void {
    rejected += 1;
    overLimit.add(socket);
    const timer = setTimeout(() => socket.destroy(), REQUEST_TIMEOUT);
    socket.once('close', () => clearTimeout(timer));
  }
  function onRequest(socket: Socket, response: ServerResponse): void {
    const group = groups.get(socket);
    if (group === undefined) return;
    idle.delete(group, socket);
    requests.set(socket, (requests.get(socket) ?? 0) + 1);
    const key = stalled.add(response);
    response.once('close', () => onResponseClosed(group, socket, key));
  }
  function onResponseClosed(group: string, socket: Socket, stalledKey: number): void {
    stalled.remove(stalledKey);
    const left = (requests.get(socket) ?? 1) - 1;
    if (!groups.has(socket) || socket.destroyed) return;
    requests.set(socket, left);
    if (left === 0) idle.add(group, socket);
  }

  server.on('connection', (socket: Socket) => {
    if (!makeRoom()) return reject(socket);
    const group = addressGroup(socket.remoteAddress ?? '');
    groups.set(socket, group);
    idle.add(group, socket);
    socket.once('close', () => forget(socket));
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) =>
    onRequest(socket, response),
  );
  server.once('close', () => stalled.close());
  return {
    get open() {
      return groups.size;
    },
    get evicted() {
      return evicted;
    },
    get rejected() {
      return rejected;
    },
    isOverLimit: (socket) => overLimit.has(socket),
  };
}

/** The connections without a request in progress, grouped by client address. */
export class IdleConnections<Connection> {
  readonly #groups = new Map<string, Set<Connection>>();

  /** It becomes the most recently idle of its group. */
  add(group: string, connection: Connection): void {
    const members = this.#groups.get(group);
    if (members) members.add(connection);
    else this.#groups.set(group, new Set([connection]));
  }

  delete(group: string, connection: Connection): void {
    const members = this.#groups.get(group);
    members?.delete(connection);
    if (members?.size === 0) this.#groups.delete(group);
  }

  /**
   * The connection to close when room is needed: the one idle longest, of the group that holds the most. So a flood from
   * one address evicts only its own connections. Undefined where none is idle.
   */
  get evictionCandidate(): Connection | undefined {
    let largest: ReadonlySet<Connection> | undefined;
    for (const members of this.#groups.values()) {
      if (members.size > (largest?.size ?? 0)) largest = members;
    }
    return largest?.values().next().value;
  }
}

const CHECK_INTERVAL = 1000;

/**
 * Closes complete responses that their clients do not read. The backend has long finished them, so nothing else would
 * end them: a client that stops reading would hold its connection, and the memory of the response, forever.
 */
class StalledResponses {
  readonly #open = new Slab<ServerResponse>();
  /** Since when a response has been complete and unread, `performance.now()`. */
  readonly #since = new WeakMap<ServerResponse, number>();
  readonly #timeoutMs: number;
  readonly #timer: NodeJS.Timeout;

  /** `timeoutMs` of 0 is no limit. */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#timer = setInterval(() => this.check(performance.now()), CHECK_INTERVAL).unref();
  }

  /** Returns the key for `remove`. */
  add(response: ServerResponse): number {
    return this.#open.insert(response);
  }

  /** To be called when it has closed. */
  remove(key: number): void {
    this.#open.remove(key);
  }

  check(now: number): void {
    if (this.#timeoutMs === 0) return;
    for (const response of this.#open) {
      if (!response.writableEnded || response.writableFinished) continue;
      const since = this.#since.get(response);
      if (since === undefined) this.#since.set(response, now);
      else if (now - since >= this.#timeoutMs) response.destroy();
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
