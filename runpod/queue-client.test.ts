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
    'with the input %j fails with a reason for its client',
    async (input) => {
      await using setup = await startWorker();
      expect(await errorOf(setup.runpod, input)).toMatchObject({
        status: 400,
        error_type: 'invalid_request_error',
      });
      expect(setup.gateway.requests).toEqual([]);
    },
  );

  it('whose result RunPod rejects fails with a reason instead of being lost', async () => {
    await using setup = await startWorker();
    setup.runpod.fail('done', 3, 413);
    const error = await errorOf(setup.runpod, { prompt: 'x' });
    expect(error).toMatchObject({
      error_type: 'result_refused',
      error_message: expect.stringContaining('status 413'),
    });
    await waitFor('its end', () => setup.logged().includes('job failed'));
    expect(setup.runpod.faults).toEqual([]);
  });

  it('whose result exceeds RunPod’s limit fails without an attempt to post it', async () => {
    const scenario: WorkerScenario = ({ response }) =>
      say(response, 200, { said: 'x'.repeat(21 * 1024 ** 2) });
    await using setup = await startWorker({ scenario });
    const error = await errorOf(setup.runpod, { prompt: 'x' });
    expect(error).toMatchObject({
      error_type: 'result_refused',
      error_message: expect.stringContaining('20 MiB'),
    });
    expect(setup.logged()).not.toContain('posting to RunPod failed');
  });

  it('is lost only if RunPod rejects that too, which is logged', async () => {
    await using setup = await startWorker();
    setup.runpod.fail('done', 6, 413);
    setup.runpod.add({ prompt: 'x' });
    await waitFor('the line', () => setup.logged().includes('it is lost'));
  });

  it('is stopped by a list that also has invalid entries', async () => {
    await using setup = await startWorker({
      scenario: ({ response }) => void response.writeHead(200).write(' '),
    });
    const { runpod, gateway } = setup;
    const job = runpod.add({ prompt: 'x' });
    await waitFor('it at work', () => gateway.requests.length === 1);
    // An entry that is invalid: the id is no text.
    runpod.cancel({ id: 5 as unknown as string } as typeof job);
    runpod.cancel(job);
    await waitFor('its end', () => setup.logged().includes('job cancelled'));
  });
});

describe('a redirect of RunPod', () => {
  it.each([301, 302, 303, 307, 308])('with status %i is followed for a request for jobs', async (status) => {
    await using setup = await startWorker();
    setup.runpod.fail('take', 2, status);
    setup.runpod.fail('ping', 1, status);
    expect(await outputOf(setup.runpod, { prompt: 'x' })).toHaveProperty('output');
    expect(setup.logged()).not.toMatch(/cannot take jobs|heartbeat/);
    expect(setup.runpod.faults).toEqual([]);
  });

  it.each([307, 308])('with status %i is followed for a result', async (status) => {
    await using setup = await startWorker();
    setup.runpod.fail('done', 1, status);
    expect(await outputOf(setup.runpod, { prompt: 'x' })).toHaveProperty('output');
    expect(setup.logged()).not.toContain('posting to RunPod failed');
  });

  it('with status 302 does not count as a posted result', async () => {
    await using setup = await startWorker();
    setup.runpod.fail('done', 1, 302);
    expect(await outputOf(setup.runpod, { prompt: 'x' })).toHaveProperty('output');
    expect(setup.logged()).toContain('posting to RunPod failed');
  });

  it('is not followed endlessly, and that is logged', async () => {
    await using setup = await startWorker();
    setup.runpod.fail('take', 12, 307);
    await waitFor('the line', () => setup.logged().includes('status 307'));
    expect(await outputOf(setup.runpod, { prompt: 'x' })).toHaveProperty('output');
  });

  it('to another host does not get our key', async () => {
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
    await using setup = await startWorker({
      env: { RUNPOD_WEBHOOK_GET_JOB: `http://127.0.0.1:${first}/job-take/$ID` },
    });
    await waitFor('a question elsewhere', () => seen.length > 0);
    expect(seen[0]).not.toHaveProperty('authorization');
    expect(setup.logged()).not.toContain('runpod-ai-key');
    for (const server of [elsewhere, leading]) server.close();
    for (const server of [elsewhere, leading]) server.closeAllConnections();
  });
});

describe('a worker that gets status 400 from RunPod', () => {
  it('logs it once when it persists, and when it is over', async () => {
    await using setup = await startWorker();
    setup.runpod.fail('take', 12, 400);
    expect(await outputOf(setup.runpod, { prompt: 'x' })).toHaveProperty('output');
    const lines = (text: string) => setup.logged().split(text).length - 1;
    expect([lines('keeps responding with status 400'), lines('accepts this worker again')]).toEqual([1, 1]);
  });

  it('logs nothing if it happens a few times, as after a worker was frozen', async () => {
    await using setup = await startWorker();
    setup.runpod.fail('take', 4, 400);
    expect(await outputOf(setup.runpod, { prompt: 'x' })).toHaveProperty('output');
    expect(setup.logged()).not.toContain('400');
  });
});
