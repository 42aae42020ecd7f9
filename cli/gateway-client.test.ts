import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { freePort } from '../test/harness/free-port.ts';
import { callGateway, GatewayUnreachable } from './gateway-client.ts';

const call = (port: number, signal?: AbortSignal) =>
  callGateway({ origin: `http://127.0.0.1:${port}`, apiKey: undefined }, '/health', signal && { signal });

it('the error says why nothing answers: nothing listens, or it takes too long', async () => {
  await expect(call(await freePort())).rejects.toThrow(
    /^no gateway answers at http:\S+ \(ECONNREFUSED\); start it/,
  );
  await using server = createServer(() => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const slow = call(port, AbortSignal.timeout(1));
  await expect(slow).rejects.toThrow(GatewayUnreachable);
  await expect(slow).rejects.toThrow(/\(it takes too long\); start it/);
});
