import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import {
  echo,
  errorOf,
  outputOf,
  say,
  startWorker,
  type WorkerScenario,
} from '../test/harness/start-queue-worker.ts';
import { waitFor } from '../test/harness/wait-for.ts';

describe('a queue worker', () => {
  it('sends jobs to the gateway with its own key and the job id, and posts the response', async () => {
    await using setup = await startWorker();
    const { runpod, gateway } = setup;
    const job = runpod.add({ prompt: 'a secret prompt' }, 'job-1');
    await runpod.finished(job);
    const output = { said: { prompt: 'a secret prompt' } };
    expect([job.pieces, job.results]).toEqual([[output], [{ output: [output] }]]);
    expect(gateway.requests).toMatchObject([
      { path: '/v1/completions', headers: { 'x-api-key': 'sk-of-the-worker', 'x-request-id': 'job-1' } },
    ]);
    expect(runpod.faults).toEqual([]);
    await waitFor('a line of it', () => setup.logged().includes('job completed'));
    expect(setup.logged()).not.toMatch(/secret prompt|sk-of|runpod-ai-key/);
  });

  it('takes as many jobs as the gateway has slots, and names them in its heartbeats', async () => {
    const open: ServerResponse[] = [];
    await using setup = await startWorker({ scenario: ({ response }) => void open.push(response) });
    const { runpod } = setup;
    const jobs = [1, 2, 3].map((n) => runpod.add({ prompt: 'x' }, `job-${n}`));
    await waitFor('two at work', () => open.length === 2);
    await waitFor('a heartbeat with both', () => runpod.pings.some((ids) => ids.join() === 'job-1,job-2'));
    expect(jobs.map(({ status }) => status)).toEqual(['IN_PROGRESS', 'IN_PROGRESS', 'IN_QUEUE']);
    for (const response of open.splice(0)) say(response, 200, {});
    await waitFor('the third', () => open.length === 1);
    say(open[0] as ServerResponse, 200, {});
    await runpod.finished(jobs[2] as (typeof jobs)[number]);
    expect(runpod.takes[0]).toEqual({ count: 2, hasJobs: false });
    expect(runpod.faults).toEqual([]);
  });

  it('sends no heartbeat and takes no job before the gateway is ready', async () => {
    await using setup = await startWorker({ standing: 'loading' });
    const { runpod, gateway } = setup;
    const job = runpod.add({ prompt: 'x' });
    await waitFor('two probes of the gateway', () => gateway.health.probes > 1);
    expect([runpod.pings, runpod.takes]).toEqual([[], []]);
    gateway.health.status = 'ready';
    await runpod.finished(job);
    expect(runpod.faults).toEqual([]);
  });

  it('runs a job once if it is handed out again while it runs', async () => {
    const open: ServerResponse[] = [];
    await using setup = await startWorker({ scenario: ({ response }) => void open.push(response) });
    const job = setup.runpod.add({ prompt: 'x' });
    await waitFor('it at work', () => open.length === 1);
    setup.runpod.handOutAgain(job);
    await waitFor('the warning', () => setup.logged().includes('is already running'));
    say(open[0] as ServerResponse, 200, {});
    await setup.runpod.finished(job);
    expect([open.length, job.results.length]).toEqual([1, 1]);
  });
});

describe('an error of the gateway', () => {
  const tooLong = { message: 'too long', type: 'invalid_request_error', param: null, code: 'too_long' };

  it('fails the job with its status and its error', async () => {
    await using setup = await startWorker({
      scenario: ({ response }) => say(response, 400, { error: tooLong }),
    });
    expect(await errorOf(setup.runpod, { prompt: 'x' })).toMatchObject({
      error_type: 'too_long',
      error_message: 'too long',
      status: 400,
      error: tooLong,
      worker_id: 'pod-7',
    });
    expect(await errorOf(setup.runpod, {})).toMatchObject({
      status: 400,
      error_type: 'invalid_request_error',
    });
    expect(setup.gateway.requests).toHaveLength(1);
  });

  it('is retried if the gateway asks for that, or the connection breaks', async () => {
    const scenario: WorkerScenario = (question, count) => {
      if (count === 1) say(question.response, 503, { error: tooLong }, { 'retry-after-ms': '1' });
      else if (count === 2) question.response.destroy();
      else if (count === 3) question.response.writeHead(200, { 'content-length': '9' }).write('{');
      else echo(question, count);
      if (count === 3) setImmediate(() => question.response.destroy());
    };
    await using setup = await startWorker({ scenario });
    expect(await outputOf(setup.runpod, { prompt: 'x' })).toEqual({ output: [{ said: { prompt: 'x' } }] });
    expect(setup.gateway.requests).toHaveLength(4);
  });

  it('fails the job if the gateway stays unavailable for QUEUE_TIMEOUT', async () => {
    const scenario: WorkerScenario = ({ response }) =>
      say(response, 503, { error: tooLong }, { 'retry-after-ms': '1' });
    await using setup = await startWorker({ scenario, env: { QUEUE_TIMEOUT: '5ms' } });
    expect(await errorOf(setup.runpod, { prompt: 'x' })).toMatchObject({ status: 503 });
  });
});

describe('a stream', () => {
  const event = (n: number) => `data: {"n":${n}}\n\n`;
  const count = 40;
  const events = Array.from({ length: count }, (_, n) => event(n)).join('');
  const stream = (response: ServerResponse, said: string) =>
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' }).write(said);

  it('arrives complete, in order and once, even if RunPod fails for a while', async () => {
    const scenario: WorkerScenario = async ({ response }) => {
      stream(response, ': keep-alive\n\n');
      for (let n = 0; n < count; n++) {
        response.write(event(n));
        await new Promise(setImmediate);
      }
      response.end();
    };
    await using setup = await startWorker({ scenario });
    const { runpod } = setup;
    runpod.fail('stream', 3, 503);
    runpod.fail('done', 5, 0);
    runpod.fail('take', 2, 500);
    runpod.fail('ping', 2, 500);
    const job = await runpod.finished(runpod.add({ prompt: 'x', stream: true }));
    expect(job.pieces.join('')).toBe(events);
    expect(job.results).toEqual([{ output: job.pieces }]);
    expect(runpod.faults).toEqual([]);
    expect(setup.logged()).toMatch(/posting to RunPod failed/);
  });

  it('that ends with an error fails the job with that error', async () => {
    const error = { message: 'the engine is gone', type: 'server_error', param: null, code: 'bad_gateway' };
    const said = `${event(1)}data: ${JSON.stringify({ error })}\n\n`;
    await using setup = await startWorker({
      scenario({ response }) {
        stream(response, said);
        response.end();
      },
    });
    const job = await setup.runpod.finished(setup.runpod.add({ prompt: 'x', stream: true }));
    expect(job.pieces.join('')).toBe(said);
    expect(JSON.parse(job.results[0]?.error ?? '')).toMatchObject({ error_type: 'bad_gateway', error });
  });

  it('that ends early fails the job, and is retried if nothing was posted', async () => {
    const scenario: WorkerScenario = ({ response }, asked) => {
      stream(response, asked === 1 ? ': keep-alive\n\n' : event(1));
      setImmediate(() => response.destroy());
    };
    await using setup = await startWorker({ scenario });
    expect(await errorOf(setup.runpod, { prompt: 'x', stream: true })).toMatchObject({
      error_message: 'the stream of the gateway ended early',
    });
    expect(setup.gateway.requests).toHaveLength(2);
  });
});

describe('a job that RunPod cancels', () => {
  it('is aborted at the gateway, and nothing is posted', async () => {
    await using setup = await startWorker({
      scenario: ({ response }) => void response.writeHead(200).write(' '),
    });
    const { runpod, gateway } = setup;
    const job = runpod.add({ prompt: 'x' });
    await waitFor('it at work', () => gateway.requests.length === 1);
    runpod.cancel(job);
    await waitFor('the gateway to see its client leave', () => gateway.requests[0]?.response.destroyed);
    await waitFor('its end', () => setup.logged().includes('job cancelled'));
    expect([job.results, runpod.faults]).toEqual([[], []]);
  });

  it('is not polled for if RunPod does not support that', async () => {
    await using setup = await startWorker();
    setup.runpod.fail('stop', 1, 404);
    expect(await outputOf(setup.runpod, { prompt: 'x' })).toHaveProperty('output');
    expect(await outputOf(setup.runpod, { prompt: 'y' })).toHaveProperty('output');
  });
});

describe('a worker that is stopped', () => {
  it('finishes its jobs, and takes no more', async () => {
    const open: ServerResponse[] = [];
    await using setup = await startWorker({ scenario: ({ response }) => void open.push(response) });
    const { runpod, worker, done } = setup;
    const job = runpod.add({ prompt: 'x' });
    await waitFor('it at work, and asking for more', () => open.length === 1 && runpod.isAsked());
    worker.stop();
    await waitFor('it to ask no more', () => !runpod.isAsked());
    const late = runpod.add({ prompt: 'y' });
    say(open[0] as ServerResponse, 200, { all: 'done' });
    await done;
    expect(job.results).toEqual([{ output: [{ all: 'done' }] }]);
    expect(late.status).toBe('IN_QUEUE');
  });

  it('reports the jobs that it could not finish', async () => {
    const open: ServerResponse[] = [];
    const scenario: WorkerScenario = ({ response }) => void open.push(response);
    await using setup = await startWorker({ scenario, env: { DRAIN_TIMEOUT: '1ms' } });
    const job = setup.runpod.add({ prompt: 'x' });
    await waitFor('it at work', () => open.length === 1);
    setup.worker.stop();
    await setup.done;
    expect(JSON.parse(job.results[0]?.error ?? '')).toMatchObject({ error_type: 'draining' });
    expect(open[0]?.destroyed).toBe(true);
  });

  it('does not wait after a second stop, nor for a gateway that never was ready', async () => {
    await using setup = await startWorker({ standing: 'loading' });
    setup.worker.stop();
    setup.worker.stop();
    await setup.done;
    expect(setup.runpod.faults).toEqual([]);
  });
});
