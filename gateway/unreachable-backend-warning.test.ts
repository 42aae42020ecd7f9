import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import type { BackendStatus } from '../health/backend.ts';
import { freePort } from '../test/harness/free-port.ts';
import { waitFor } from '../test/harness/wait-for.ts';
import { warnWhenUnreachable } from './unreachable-backend-warning.ts';

async function collectWarnings(origin: string, socketPath?: string) {
  let status: BackendStatus = 'starting';
  let checks = 0;
  const monitor = {
    since: 0,
    get status() {
      checks += 1;
      return status;
    },
  };
  const lines: string[] = [];
  const log = { warn: (message: string) => void lines.push(message) };
  using _ = warnWhenUnreachable(monitor, { origin, socketPath }, log, { checkIntervalMs: 5, graceMs: 0 });
  await waitFor('the first line', () => lines.length > 0);
  status = 'ready';
  const before = checks;
  await waitFor('a check while it is ready', () => checks > before + 2);
  status = 'restarting';
  await waitFor('the second line', () => lines.length > 1);
  return lines;
}

it('warns once each time that the backend is unreachable, with the reason', async () => {
  const origin = `http://127.0.0.1:${await freePort()}`;
  const line = `BACKEND_URL ${origin} is unreachable (ECONNREFUSED); requests wait`;
  expect(await collectWarnings(origin)).toEqual([line, line]);
  const [first] = await collectWarnings('http://llama-server', '/nowhere/llama.sock');
  expect(first).toBe('BACKEND_URL unix:/nowhere/llama.sock is unreachable (ENOENT); requests wait');
});

it('warns of a server at that address that is not llama-server', async () => {
  await using server = createServer((_, response) => response.writeHead(404).end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const [line] = await collectWarnings(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  expect(line).toContain(
    'is unreachable (GET /health returned status 404; is it a llama-server?); requests wait',
  );
});
