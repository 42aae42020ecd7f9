import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startFakeBackend } from '../../test/fakes/start-fake-backend.ts';
import { afterFirstQuestions, benchReport } from '../../test/harness/start-bench.ts';

const respond = (response: ServerResponse) =>
  response.setHeader('content-type', 'application/json').end('{"choices":[{"text":"a"}]}');
const open = [
  '--model',
  'm',
  '--plain',
  '--rate',
  '100',
  '--arrivals',
  'uniform',
  '--requests',
  '5',
  '--warmup',
  '0',
];

describe('an open loop', () => {
  it('keeps sending while no response arrives, so that the first request waits longest', async () => {
    const waiting: ServerResponse[] = [];
    await using endpoint = await startFakeBackend(
      afterFirstQuestions((_, response) => {
        waiting.push(response);
        if (waiting.length === 5) waiting.forEach(respond);
      }),
    );
    const { steps } = await benchReport([endpoint.backend.address.origin, ...open]);
    expect(steps[0]).toMatchObject({
      name: 'rate 100/s uniform, prompt 128',
      requests: { done: 5, failed: 0 },
    });
    expect(steps[0]?.latencyMs?.max).toBeGreaterThan(35);
  });

  it('counts the delay of requests that could not be sent in time', async () => {
    await using endpoint = await startFakeBackend(
      afterFirstQuestions(async (_, response) => {
        await sleep(50);
        respond(response);
      }),
    );
    const { steps } = await benchReport([endpoint.backend.address.origin, ...open, '--max-open', '1']);
    // The last request is due after 40 ms and completes after at least 5 × 50 ms, although its response takes only 50 ms.
    expect(steps[0]?.requests.done).toBe(5);
    expect(steps[0]?.latencyMs?.max).toBeGreaterThan(190);
  });
});
