import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { withDeadline } from './with-deadline.ts';

const never = new Promise(() => {});

describe('withDeadline', () => {
  it('passes a result and an error on', async () => {
    expect(await withDeadline(1000, Promise.resolve('yes'))).toBe('yes');
    await expect(withDeadline(1000, Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  it('fails if there is no result', async () => {
    await expect(withDeadline(5, never)).rejects.toThrow('no result within 5 ms');
  });

  it('accepts a reply that arrived in time while the process was busy', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [[peer]] = await Promise.all([once(server, 'connection'), once(socket, 'connect')]);
    const reply = withDeadline(5, once(socket, 'data'));
    peer.end('hello');
    const busyUntil = performance.now() + 50;
    while (performance.now() < busyUntil);
    expect(String(await reply)).toBe('hello');
    server.close();
  });
});
