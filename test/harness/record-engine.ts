import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Backend } from '../../health/backend.ts';
import { connectOptions } from '../../health/request-backend.ts';

export interface RecordedEngine extends AsyncDisposable {
  readonly backend: Backend;
  /** The bodies of the requests that clients have made through the gateway, in order of arrival. */
  readonly received: readonly string[];
}

/** A relay in front of an engine, which keeps what the gateway has sent it. */
export async function recordEngine({ address, apiKey }: Backend): Promise<RecordedEngine> {
  const received: string[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    const body = Buffer.concat(await incoming.toArray());
    if (method === 'POST' && headers['x-request-id'] !== undefined) received.push(body.toString());
    const options = { ...connectOptions(address), method, path, headers, agent: false };
    const relayed = request(options, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
    });
    relayed.on('error', () => outgoing.destroy());
    outgoing.on('close', () => relayed.destroy());
    relayed.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    backend: { address: { origin: `http://127.0.0.1:${port}`, socketPath: undefined }, apiKey },
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
