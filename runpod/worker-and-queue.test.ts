import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  errorOf,
  outputOf,
  say,
  startWorker,
  type WorkerScenario,
} from '../test/harness/start-queue-worker.ts';
import { waitFor } from '../test/harness/wait-for.ts';

describe('a job', () => {
  it.each([undefined, null, 7, [], {}])(
    'with the input %j fails with a reason, and its client hears of it',
    async (input) => {
      await using house = await startWorker();
      expect(await errorOf(house.runpod, input)).toMatchObject({
        status: 400,
        error_type: 'invalid_request_error',
      });
      expect(house.gateway.questions).toEqual([]);
    },
  );

  it('whose result RunPod refuses fails with a reason instead of being lost', async () => {
    await using house = await startWorker();
    house.runpod.fail('done', 3, 413);
    const error = await errorOf(house.runpod, { prompt: 'x' });
    expect(error).toMatchObject({
      error_type: 'result_refused',
      error_message: expect.stringContaining('it answered 413'),
    });
    await waitFor('its end', () => house.logged().includes('job failed'));
    expect(house.runpod.faults).toEqual([]);
  });

  it('whose result is larger than RunPod takes fails without its being tried', async () => {
    const mood: WorkerScenario = ({ response }) => say(response, 200, { said: 'x'.repeat(21 * 1024 ** 2) });
    await using house = await startWorker({ mood });
    const error = await errorOf(house.runpod, { prompt: 'x' });
    expect(error).toMatchObject({
      error_type: 'result_refused',
      error_message: expect.stringContaining('20 MiB'),
    });
    expect(house.logged()).not.toContain('posted again');
  });

  it('is lost only where not even that is taken, and the log says so', async () => {
    await using house = await startWorker();
    house.runpod.fail('done', 6, 413);
    house.runpod.add({ prompt: 'x' });
    await waitFor('the line', () => house.logged().includes('it is lost'));
  });

  it('is stopped by a list that holds rubbish, too', async () => {
    await using house = await startWorker({
      mood: ({ response }) => void response.writeHead(200).write(' '),
    });
    const { runpod, gateway } = house;
    const job = runpod.add({ prompt: 'x' });
    await waitFor('it at work', () => gateway.questions.length === 1);
    runpod.cancel({ id: 5 as unknown as string } as typeof job);
    runpod.cancel(job);
    await waitFor('its end', () => house.logged().includes('job cancelled'));
  });
});

describe('where RunPod leads elsewhere', () => {
  it.each([301, 302, 303, 307, 308])('by %i, a question for jobs follows', async (status) => {
    await using house = await startWorker();
    house.runpod.fail('take', 2, status);
    house.runpod.fail('ping', 1, status);
    expect(await outputOf(house.runpod, { prompt: 'x' })).toHaveProperty('output');
    expect(house.logged()).not.toMatch(/cannot be asked|heartbeat/);
    expect(house.runpod.faults).toEqual([]);
  });

  it.each([307, 308])('by %i, a result follows', async (status) => {
    await using house = await startWorker();
    house.runpod.fail('done', 1, status);
    expect(await outputOf(house.runpod, { prompt: 'x' })).toHaveProperty('output');
    expect(house.logged()).not.toContain('posted again');
  });

  it('by 302, a result is not taken for posted', async () => {
    await using house = await startWorker();
    house.runpod.fail('done', 1, 302);
    expect(await outputOf(house.runpod, { prompt: 'x' })).toHaveProperty('output');
    expect(house.logged()).toContain('posted again');
  });

  it('without end, it gives up and says so', async () => {
    await using house = await startWorker();
    house.runpod.fail('take', 12, 307);
    await waitFor('the line', () => house.logged().includes('it answered 307'));
    expect(await outputOf(house.runpod, { prompt: 'x' })).toHaveProperty('output');
  });

  it('to another host, our key does not go along', async () => {
    const seen: IncomingMessage['headers'][] = [];
    const elsewhere = createServer(({ headers }, response) => {
      seen.push(headers);
      response.writeHead(204).end();
    }).listen(0, '127.0.0.1');
    await once(elsewhere, 'listening');
    const { port } = elsewhere.address() as AddressInfo;
    const leading = createServer((_, response) => {
      response.writeHead(307, { location: `http://127.0.0.1:${port}/take` }).end();
    }).listen(0, '127.0.0.1');
    await once(leading, 'listening');
    const { port: first } = leading.address() as AddressInfo;
    await using house = await startWorker({
      env: { RUNPOD_WEBHOOK_GET_JOB: `http://127.0.0.1:${first}/job-take/$ID` },
    });
    await waitFor('a question elsewhere', () => seen.length > 0);
    expect(seen[0]).not.toHaveProperty('authorization');
    expect(house.logged()).not.toContain('runpod-ai-key');
    for (const server of [elsewhere, leading]) server.close();
    for (const server of [elsewhere, leading]) server.closeAllConnections();
  });
});

describe('a worker that RunPod answers 400', () => {
  it('says so once, when it goes on, and when it is over', async () => {
    await using house = await startWorker();
    house.runpod.fail('take', 12, 400);
    expect(await outputOf(house.runpod, { prompt: 'x' })).toHaveProperty('output');
    const lines = (words: string) => house.logged().split(words).length - 1;
    expect([lines('answers 400 again and again'), lines('gives this worker jobs again')]).toEqual([1, 1]);
  });

  it('a few times says nothing, as one that was frozen hears it at its waking', async () => {
    await using house = await startWorker();
    house.runpod.fail('take', 4, 400);
    expect(await outputOf(house.runpod, { prompt: 'x' })).toHaveProperty('output');
    expect(house.logged()).not.toContain('400');
  });
});
