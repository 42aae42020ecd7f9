import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import type { StopCall } from './stop-call.ts';
import { stopInstance } from './stop-instance.ts';

const insistence = { pausesMs: [1, 1], timeoutMs: 1000 };

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

it('is asked again when it is busy, out of order or out of reach, and the key is never told', async () => {
  using platform = await platformAnswering(429, 0, 200);
  const { log, text } = memoryLog();
  await stopInstance(platform.call, log, insistence);
  expect(platform.asked()).toBe(3);
  expect(text()).toMatch(/it answered 429.*\n.*did not stop.*\n.*RunPod was asked to stop this instance/);
  expect(text()).not.toContain('secret');
});

it('is not asked again where it says no', async () => {
  using platform = await platformAnswering(403);
  const { log, text } = memoryLog();
  await stopInstance(platform.call, log, insistence);
  expect(platform.asked()).toBe(1);
  expect(text()).toMatch(/it answered 403.*\n.*stop it by hand/);
});

it('is asked a few times, no more', async () => {
  using platform = await platformAnswering(500, 502, 503, 200);
  const { log, text } = memoryLog();
  await stopInstance(platform.call, log, insistence);
  expect(platform.asked()).toBe(3);
  expect(text()).toContain('stop it by hand');
});
