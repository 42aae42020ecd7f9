import type { Socket } from 'node:net';
import { chatOf, postOf } from '../harness/raw-request.ts';

/** How one of thousands of hostile connections behaves. */
export interface Attack {
  readonly name: string;
  /** Runs when the connection is open. */
  readonly start: (socket: Socket) => void;
  /** Sent at an interval, to keep the connection open. */
  readonly continuation?: string;
}

export const attackerSecret = 'sk-attacker-0123456789abcdefghijklmnopqrstuvw';

const [head = ''] = postOf(chatOf('x'.repeat(100_000)), { secret: attackerSecret }).split(/(?<=\r\n\r\n)/);

export const attacks: readonly Attack[] = [
  { name: 'none', start: (socket) => void socket.end() },
  { name: 'silent connections', start: () => {} },
  {
    name: 'endless headers',
    start: (socket) => void socket.write('GET / HTTP/1.1\r\nHost: x\r\n'),
    continuation: 'X-A: b\r\n',
  },
  { name: 'endless bodies', start: (socket) => void socket.write(`${head}{`), continuation: ' ' },
  {
    name: 'requests without a key',
    start: (socket) => void socket.write(postOf(chatOf('x'), { secret: null })),
    continuation: postOf(chatOf('x'), { secret: null }),
  },
  {
    name: 'unread streams',
    start(socket) {
      socket.pause();
      socket.write(postOf(chatOf('x', { stream: true }), { secret: attackerSecret }));
    },
  },
];
