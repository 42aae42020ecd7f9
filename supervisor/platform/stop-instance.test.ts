import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import type { StopCall } from './stop-call.ts';
import { stopInstance } from './stop-instance.ts';

const retries = { delaysMs: [1, 1], timeoutMs: 1000 };

/** A platform that answers with these statuses, one after the other; 0 breaks off. */
async function platformAnswering(...statuses: readonly number[]) {
  let asked = 0;
  const server = createServer((request, response) => {
    const status = statuses[asked++] ?? 500;
    if (status === 0) request.socket.destroy();
    else response.writeHead(status).end('{"echo":"Bearer secret"}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const call: StopCall = {
    platform: 'RunPod',
    url: `http://127.0.0.1:${port}/pods/p/stop`,
    init: { method: 'POST', headers: { authorization: 'Bearer secret' } },
  };
  return { call, asked: () => asked, [Symbol.dispose]: () => void server.close() };
}

function memoryLog() {
  const lines: string[] = [];
  return { log: pino({}, { write: (line) => void lines.push(line) }), text: () => lines.join('') };
}

it('a platform that is busy or unreachable is asked again, and the key is never logged', async () => {
  using platform = await platformAnswering(429, 0, 200);
  const { log, text } = memoryLog();
  await stopInstance(platform.call, log, retries);
  expect(platform.asked()).toBe(3);
  expect(text()).toMatch(
    /status 429.*\n.*did not stop.*\n.*RunPod accepted the request to stop this instance/,
  );
  expect(text()).not.toContain('secret');
});

it('a platform that rejects the request is not asked again', async () => {
  using platform = await platformAnswering(403);
  const { log, text } = memoryLog();
  await stopInstance(platform.call, log, retries);
  expect(platform.asked()).toBe(1);
  expect(text()).toMatch(/status 403.*\n.*stop it by hand/);
});

it('a platform is asked a limited number of times', async () => {
  using platform = await platformAnswering(500, 502, 503, 200);
  const { log, text } = memoryLog();
  await stopInstance(platform.call, log, retries);
  expect(platform.asked()).toBe(3);
  expect(text()).toContain('stop it by hand');
});
