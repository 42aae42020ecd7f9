import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { withDeadline } from './with-deadline.ts';

const never = new Promise(() => {});

describe('within', () => {
  it('passes an answer and a failure on', async () => {
    expect(await withDeadline(1000, Promise.resolve('yes'))).toBe('yes');
    await expect(withDeadline(1000, Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  it('fails where nothing comes', async () => {
    await expect(withDeadline(5, never)).rejects.toThrow('no answer within 5 ms');
  });

  it('takes an answer that came in time though nobody had time to look', async () => {
    const server = createServer((socket) => void socket.end('hello')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    const answer = withDeadline(5, once(socket, 'data'));
    const busyUntil = performance.now() + 50;
    while (performance.now() < busyUntil);
    expect(String(await answer)).toBe('hello');
    server.close();
  });
});
