import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import type { BackendStatus } from '../health/backend.ts';
import { freePort } from '../test/harness/free-port.ts';
import { waitFor } from '../test/harness/wait-for.ts';
import { warnWhenUnreachable } from './unreachable-backend-warning.ts';

async function told(origin: string, socketPath?: string) {
  let standing: BackendStatus = 'starting';
  let looks = 0;
  const watch = {
    since: 0,
    get status() {
      looks += 1;
      return standing;
    },
  };
  const lines: string[] = [];
  const log = { warn: (words: string) => lines.push(words) } as unknown as Parameters<
    typeof warnWhenUnreachable
  >[2];
  using _ = warnWhenUnreachable(watch, { origin, socketPath }, log, { lookEveryMs: 5, graceMs: 0 });
  await waitFor('the first line', () => lines.length > 0);
  standing = 'ready';
  const before = looks;
  await waitFor('a look while it is ready', () => looks > before + 2);
  standing = 'restarting';
  await waitFor('the second line', () => lines.length > 1);
  return lines;
}

it('tells once for each absence why the backend does not answer', async () => {
  const origin = `http://127.0.0.1:${await freePort()}`;
  const line = `BACKEND_URL ${origin} does not answer (ECONNREFUSED): requests wait`;
  expect(await told(origin)).toEqual([line, line]);
  const [first] = await told('http://llama-server', '/nowhere/llama.sock');
  expect(first).toBe('BACKEND_URL unix:/nowhere/llama.sock does not answer (ENOENT): requests wait');
});

it('tells of something that listens there and is no llama-server', async () => {
  await using server = createServer((_, response) => response.writeHead(404).end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const [line] = await told(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  expect(line).toContain('does not answer (status 404 of /health: is it a llama-server?): requests wait');
});
