import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { addressGroup } from '../http/address-group.ts';
import { IdleConnections } from './idle-connections.ts';
import { StalledResponses } from './stalled-responses.ts';

/** Connections beyond the bound that are told so at the same time; what comes on top is closed without a word. */
const TOLD_AT_A_TIME = 128;
/** How long one beyond the bound has to ask, ms. */
const TIME_TO_ASK = 2000;

export interface ConnectionLimits {
  readonly max: number;
  /** How long a whole answer may wait for its client to take it, ms; 0 is no limit. */
  readonly stallTimeoutMs: number;
}

export interface ConnectionLimiter {
  readonly open: number;
  /** Idle ones that were closed to make room, so far. */
  readonly evicted: number;
  /** Those that found no room, so far. */
  readonly rejected: number;
  /** Whether this one found no room: it is to be told so, and closed. */
  isOverLimit(socket: Socket): boolean;
}

/**
 * Keeps the number of connections in bounds. Where there is no more room an idle one goes, of those who hold the most of
 * them; whoever asks something, or waits for an answer, stays. Only where all are busy the newcomer is refused.
 */
export function limitConnections(
  server: Server,
  { max, stallTimeoutMs }: ConnectionLimits,
): ConnectionLimiter {
  const idle = new IdleConnections<Socket>();
  const groups = new Map<Socket, string>();
  const underWay = new Map<Socket, number>();
  const beyond = new WeakSet<Socket>();
  const untaken = new StalledResponses(stallTimeoutMs);
  let [displaced, refused] = [0, 0];
  server.maxConnections = max + TOLD_AT_A_TIME;

  function makeRoom(): boolean {
    if (groups.size < max) return true;
    const socket = idle.evictionCandidate;
    if (socket === undefined) return false;
    displaced += 1;
    forget(socket);
    socket.destroy();
    return true;
  }
  function forget(socket: Socket): void {
    idle.delete(groups.get(socket) ?? '', socket);
    groups.delete(socket);
    underWay.delete(socket);
  }
  function refuse(socket: Socket): void {
    refused += 1;
    beyond.add(socket);
    const timer = setTimeout(() => socket.destroy(), TIME_TO_ASK);
    socket.once('close', () => clearTimeout(timer));
  }
  function begin(socket: Socket, response: ServerResponse): void {
    const group = groups.get(socket);
    if (group === undefined) return;
    idle.delete(group, socket);
    underWay.set(socket, (underWay.get(socket) ?? 0) + 1);
    untaken.track(response);
    response.once('close', () => end(group, socket));
  }
  function end(group: string, socket: Socket): void {
    const left = (underWay.get(socket) ?? 1) - 1;
    if (!groups.has(socket) || socket.destroyed) return;
    underWay.set(socket, left);
    if (left === 0) idle.add(group, socket);
  }

  server.on('connection', (socket: Socket) => {
    if (!makeRoom()) return refuse(socket);
    const group = addressGroup(socket.remoteAddress ?? '');
    groups.set(socket, group);
    idle.add(group, socket);
    socket.once('close', () => forget(socket));
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => begin(socket, response));
  server.once('close', () => untaken.close());
  return {
    get open() {
      return groups.size;
    },
    get evicted() {
      return displaced;
    },
    get rejected() {
      return refused;
    },
    isOverLimit: (socket) => beyond.has(socket),
  };
}
