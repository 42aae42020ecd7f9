import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Contender, firstSecretOf } from '../contenders/contender.ts';

/** A client that has asked, and reads nothing until it is told to. */
export async function askRaw(
  { port, headers, keyFile }: Contender,
  model: string,
  isStream = true,
): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const messages = [{ role: 'user', content: 'hello' }];
  const body = JSON.stringify({ model, ...(isStream && { stream: true }), max_tokens: 100_000, messages });
  const key = firstSecretOf({ keyFile });
  const lines = [
    'POST /v1/chat/completions HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(key === undefined ? [] : [`Authorization: Bearer ${key}`]),
    ...headers,
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
  socket.on('error', () => {});
  return socket;
}
