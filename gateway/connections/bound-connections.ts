import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { addressGroup } from '../door/address-group.ts';
import { IdleConnections } from './idle-connections.ts';
import { UntakenAnswers } from './untaken-answers.ts';

/** Connections beyond the bound that are told so at the same time; what comes on top is closed without a word. */
const TOLD_AT_A_TIME = 128;
/** How long one beyond the bound has to ask, ms. */
const TIME_TO_ASK = 2000;

export interface ConnectionBounds {
  readonly most: number;
  /** How long a whole answer may wait for its client to take it, ms; 0 is no limit. */
  readonly patience: number;
}

export interface BoundedConnections {
  readonly open: number;
  /** Idle ones that were closed to make room, so far. */
  readonly displaced: number;
  /** Those that found no room, so far. */
  readonly refused: number;
  /** Whether this one found no room: it is to be told so, and closed. */
  isBeyond(socket: Socket): boolean;
}

/**
 * Keeps the number of connections in bounds. Where there is no more room an idle one goes, of those who hold the most of
 * them; whoever asks something, or waits for an answer, stays. Only where all are busy the newcomer is refused.
 */
export function boundConnections(server: Server, { most, patience }: ConnectionBounds): BoundedConnections {
  const idle = new IdleConnections<Socket>();
  const groups = new Map<Socket, string>();
  const underWay = new Map<Socket, number>();
  const beyond = new WeakSet<Socket>();
  const untaken = new UntakenAnswers(patience);
  let [displaced, refused] = [0, 0];
  server.maxConnections = most + TOLD_AT_A_TIME;

  function makeRoom(): boolean {
    if (groups.size < most) return true;
    const socket = idle.dispensable;
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
    untaken.follow(response);
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
    get displaced() {
      return displaced;
    },
    get refused() {
      return refused;
    },
    isBeyond: (socket) => beyond.has(socket),
  };
}
