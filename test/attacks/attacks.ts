import type { Socket } from 'node:net';
import { chatOf, postOf } from '../harness/raw-request.ts';

/** How one of thousands of hostile connections behaves. */
export interface Attack {
  readonly name: string;
  /** What it says once it is connected. */
  readonly begin: (socket: Socket) => void;
  /** What it says from time to time, to be kept; undefined where it says nothing more. */
  readonly goOn?: string;
}

export const attackerSecret = 'sk-attacker-0123456789abcdefghijklmnopqrstuvw';

const [head = ''] = postOf(chatOf('x'.repeat(100_000)), { secret: attackerSecret }).split(/(?<=\r\n\r\n)/);

export const attacks: readonly Attack[] = [
  { name: 'none', begin: (socket) => void socket.end() },
  { name: 'silent connections', begin: () => {} },
  {
    name: 'headers without end',
    begin: (socket) => void socket.write('GET / HTTP/1.1\r\nHost: x\r\n'),
    goOn: 'X-A: b\r\n',
  },
  { name: 'bodies without end', begin: (socket) => void socket.write(`${head}{`), goOn: ' ' },
  {
    name: 'requests without a key',
    begin: (socket) => void socket.write(postOf(chatOf('x'), { secret: null })),
    goOn: postOf(chatOf('x'), { secret: null }),
  },
  {
    name: 'streams that nobody reads',
    begin(socket) {
      socket.pause();
      socket.write(postOf(chatOf('x', { stream: true }), { secret: attackerSecret }));
    },
  },
];
