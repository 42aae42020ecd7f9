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

interface Connection {
  /** Of its client's address. */
  readonly group: string;
  /** In progress. */
  requests: number;
  /** Towards the limit; false once it is closed. */
  counts: boolean;
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
  const connections = new Map<Socket, Connection>();
  const overLimit = new WeakSet<Socket>();
  const stalled = new StalledResponses(stallTimeoutMs);
  let [evicted, rejected] = [0, 0];
  server.maxConnections = max + MAX_OVER_LIMIT;

  function makeRoom(): boolean {
    if (connections.size < max) return true;
    const socket = idle.evictionCandidate;
    if (socket === undefined) return false;
    evicted += 1;
    forget(socket);
    socket.destroy();
    return true;
  }
  function forget(socket: Socket): void {
    const connection = connections.get(socket);
    if (connection === undefined) return;
    connection.counts = false;
    idle.delete(connection.group, socket);
    connections.delete(socket);
  }
  function reject(socket: Socket): void {
    rejected += 1;
    overLimit.add(socket);
    const timer = setTimeout(() => socket.destroy(), REQUEST_TIMEOUT);
    socket.once('close', () => clearTimeout(timer));
  }
  function onRequest(socket: Socket, response: ServerResponse): void {
    const connection = connections.get(socket);
    if (connection === undefined) return;
    if (connection.requests === 0) idle.delete(connection.group, socket);
    connection.requests += 1;
    const key = stalled.add(response);
    response.on('close', () => onResponseClosed(connection, socket, key));
  }
  function onResponseClosed(connection: Connection, socket: Socket, stalledKey: number): void {
    stalled.remove(stalledKey);
    connection.requests -= 1;
    if (connection.requests === 0 && connection.counts && !socket.destroyed)
      idle.add(connection.group, socket);
  }

  server.on('connection', (socket: Socket) => {
    if (!makeRoom()) return reject(socket);
    const group = addressGroup(socket.remoteAddress ?? '');
    connections.set(socket, { group, requests: 0, counts: true });
    idle.add(group, socket);
    socket.once('close', () => forget(socket));
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) =>
    onRequest(socket, response),
  );
  server.once('close', () => stalled.close());
  return {
    get open() {
      return connections.size;
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
