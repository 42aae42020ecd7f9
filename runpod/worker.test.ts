import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { createLog } from '../log/create-log.ts';
import { type StandInRunpod, startStandInRunpod } from '../scripts/harness/stand-in-runpod.ts';
import { waitFor } from '../scripts/harness/wait-for.ts';
import { readSettings } from '../settings/read-settings.ts';
import { queueConfig } from './config.ts';
import { QueueWorker } from './worker.ts';

interface Question {
  readonly path: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
  readonly response: ServerResponse;
}
type Mood = (question: Question, count: number) => void;

const say = (response: ServerResponse, status: number, body: object, headers: object = {}) =>
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

/** What a gateway with two slots shows a worker; the mood answers its requests. */
async function startGateway(mood: Mood, status: string) {
  const questions: Question[] = [];
  const health = { status, looks: 0 };
  const hear = async (request: IncomingMessage, response: ServerResponse) => {
    const { url: path = '', headers } = request;
    const question = { path, headers, response, body: await text(request) };
    mood(question, questions.push(question));
  };
  const server = createServer((request, response) => {
    if (request.url !== '/health') return void hear(request, response);
    health.looks += 1;
    say(response, 200, { status: health.status, slots: { total: 2 } });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, questions, health, port: (server.address() as AddressInfo).port };
}

const echo: Mood = ({ body, response }) => say(response, 200, { said: JSON.parse(body || '{}') });

interface Changes {
  readonly mood?: Mood;
  readonly standing?: string;
  readonly env?: Readonly<Record<string, string>>;
}

async function startWorker({ mood = echo, standing = 'ready', env = {} }: Changes = {}) {
  const runpod = await startStandInRunpod();
  const gateway = await startGateway(mood, standing);
  const { settings } = readSettings({
    ...runpod.env,
    PORT: String(gateway.port),
    RUNPOD_WORKER_KEY: 'sk-of-the-worker',
    RUNPOD_STREAM_INTERVAL: '1ms',
    ...env,
  });
  const config = queueConfig(settings);
  if ('problems' in config) throw new Error(config.problems.join());
  let logged = '';
  const log = createLog({ level: 'debug', from: 'runpod-worker', write: (line) => (logged += line) });
  const worker = new QueueWorker(config, log, () => 1);
  const done = worker.run();
  return {
    ...{ runpod, gateway, worker, done },
    logged: () => logged,
    async [Symbol.asyncDispose]() {
      worker.stop();
      worker.stop();
      await done;
      gateway.server.closeAllConnections();
      gateway.server.close();
      await runpod[Symbol.asyncDispose]();
    },
  };
}

const outputOf = async (runpod: StandInRunpod, input: unknown) => {
  const { results } = await runpod.finished(runpod.add(input));
  expect(results).toHaveLength(1);
  return results[0];
};
const errorOf = async (runpod: StandInRunpod, input: unknown) =>
  JSON.parse((await outputOf(runpod, input))?.error ?? 'null') as unknown;

describe('a queue worker', () => {
  it('hands jobs to the gateway under its own key and the name of the job, and posts what that answers', async () => {
    await using house = await startWorker();
    const { runpod, gateway } = house;
    const job = runpod.add({ prompt: 'a secret prompt' }, 'job-1');
    await runpod.finished(job);
    const output = { said: { prompt: 'a secret prompt' } };
    expect([job.pieces, job.results]).toEqual([[output], [{ output: [output] }]]);
    expect(gateway.questions).toMatchObject([
      { path: '/v1/completions', headers: { 'x-api-key': 'sk-of-the-worker', 'x-request-id': 'job-1' } },
    ]);
    expect(runpod.faults).toEqual([]);
    await waitFor('a line of it', () => house.logged().includes('job completed'));
    expect(house.logged()).not.toMatch(/secret prompt|sk-of|runpod-ai-key/);
  });

  it('takes as many jobs as the gateway has slots, and names them in its heartbeats', async () => {
    const open: ServerResponse[] = [];
    await using house = await startWorker({ mood: ({ response }) => void open.push(response) });
    const { runpod } = house;
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

  it('says nothing and takes nothing before the gateway is ready', async () => {
    await using house = await startWorker({ standing: 'loading' });
    const { runpod, gateway } = house;
    const job = runpod.add({ prompt: 'x' });
    await waitFor('two looks at the gateway', () => gateway.health.looks > 1);
    expect([runpod.pings, runpod.takes]).toEqual([[], []]);
    gateway.health.status = 'ready';
    await runpod.finished(job);
    expect(runpod.faults).toEqual([]);
  });

  it('does a job once that is handed out while it is at work', async () => {
    const open: ServerResponse[] = [];
    await using house = await startWorker({ mood: ({ response }) => void open.push(response) });
    const job = house.runpod.add({ prompt: 'x' });
    await waitFor('it at work', () => open.length === 1);
    house.runpod.handOutAgain(job);
    await waitFor('the warning', () => house.logged().includes('at work already'));
    say(open[0] as ServerResponse, 200, {});
    await house.runpod.finished(job);
    expect([open.length, job.results.length]).toEqual([1, 1]);
  });
});

describe('what the gateway refuses', () => {
  const tooLong = { message: 'too long', type: 'invalid_request_error', param: null, code: 'too_long' };

  it('fails the job with its status and its error', async () => {
    await using house = await startWorker({ mood: ({ response }) => say(response, 400, { error: tooLong }) });
    expect(await errorOf(house.runpod, { prompt: 'x' })).toMatchObject({
      error_type: 'too_long',
      error_message: 'too long',
      status: 400,
      error: tooLong,
      worker_id: 'pod-7',
    });
    expect(await errorOf(house.runpod, {})).toMatchObject({
      status: 400,
      error_type: 'invalid_request_error',
    });
    expect(house.gateway.questions).toHaveLength(1);
  });

  it('is asked again where it says later, or breaks off', async () => {
    const mood: Mood = (question, count) => {
      if (count === 1) say(question.response, 503, { error: tooLong }, { 'retry-after-ms': '1' });
      else if (count === 2) question.response.destroy();
      else if (count === 3) question.response.writeHead(200, { 'content-length': '9' }).write('{');
      else echo(question, count);
      if (count === 3) setImmediate(() => question.response.destroy());
    };
    await using house = await startWorker({ mood });
    expect(await outputOf(house.runpod, { prompt: 'x' })).toEqual({ output: [{ said: { prompt: 'x' } }] });
    expect(house.gateway.questions).toHaveLength(4);
  });

  it('fails the job where it does not find the time within QUEUE_TIMEOUT', async () => {
    const mood: Mood = ({ response }) => say(response, 503, { error: tooLong }, { 'retry-after-ms': '1' });
    await using house = await startWorker({ mood, env: { QUEUE_TIMEOUT: '5ms' } });
    expect(await errorOf(house.runpod, { prompt: 'x' })).toMatchObject({ status: 503 });
  });
});

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
    const mood: Mood = ({ response }) => say(response, 200, { said: 'x'.repeat(21 * 1024 ** 2) });
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

describe('a stream', () => {
  const event = (n: number) => `data: {"n":${n}}\n\n`;
  const count = 40;
  const events = Array.from({ length: count }, (_, n) => event(n)).join('');
  const stream = (response: ServerResponse, said: string) =>
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' }).write(said);

  it('arrives whole, in order and once, although RunPod fails for a while', async () => {
    const mood: Mood = async ({ response }) => {
      stream(response, ': keep-alive\n\n');
      for (let n = 0; n < count; n++) {
        response.write(event(n));
        await new Promise(setImmediate);
      }
      response.end();
    };
    await using house = await startWorker({ mood });
    const { runpod } = house;
    runpod.fail('stream', 3, 503);
    runpod.fail('done', 5, 0);
    runpod.fail('take', 2, 500);
    runpod.fail('ping', 2, 500);
    const job = await runpod.finished(runpod.add({ prompt: 'x', stream: true }));
    expect(job.pieces.join('')).toBe(events);
    expect(job.results).toEqual([{ output: job.pieces }]);
    expect(runpod.faults).toEqual([]);
    expect(house.logged()).toMatch(/posted again/);
  });

  it('that ends with an error fails the job with that', async () => {
    const error = { message: 'the engine is gone', type: 'server_error', param: null, code: 'bad_gateway' };
    const said = `${event(1)}data: ${JSON.stringify({ error })}\n\n`;
    await using house = await startWorker({
      mood({ response }) {
        stream(response, said);
        response.end();
      },
    });
    const job = await house.runpod.finished(house.runpod.add({ prompt: 'x', stream: true }));
    expect(job.pieces.join('')).toBe(said);
    expect(JSON.parse(job.results[0]?.error ?? '')).toMatchObject({ error_type: 'bad_gateway', error });
  });

  it('that breaks off in the middle fails the job, before its begin it is asked for again', async () => {
    const mood: Mood = ({ response }, asked) => {
      stream(response, asked === 1 ? ': keep-alive\n\n' : event(1));
      setImmediate(() => response.destroy());
    };
    await using house = await startWorker({ mood });
    expect(await errorOf(house.runpod, { prompt: 'x', stream: true })).toMatchObject({
      error_message: 'the stream of the gateway broke off',
    });
    expect(house.gateway.questions).toHaveLength(2);
  });
});

describe('a job that RunPod cancels', () => {
  it('is broken off at the gateway, and nothing is posted of it', async () => {
    await using house = await startWorker({
      mood: ({ response }) => void response.writeHead(200).write(' '),
    });
    const { runpod, gateway } = house;
    const job = runpod.add({ prompt: 'x' });
    await waitFor('it at work', () => gateway.questions.length === 1);
    runpod.cancel(job);
    await waitFor('the gateway to see its client leave', () => gateway.questions[0]?.response.destroyed);
    await waitFor('its end', () => house.logged().includes('job cancelled'));
    expect([job.results, runpod.faults]).toEqual([[], []]);
  });

  it('is not asked for where RunPod has no such channel', async () => {
    await using house = await startWorker();
    house.runpod.fail('stop', 1, 404);
    expect(await outputOf(house.runpod, { prompt: 'x' })).toHaveProperty('output');
    expect(await outputOf(house.runpod, { prompt: 'y' })).toHaveProperty('output');
  });
});

describe('a worker that is stopped', () => {
  it('finishes what it has taken, and takes nothing more', async () => {
    const open: ServerResponse[] = [];
    await using house = await startWorker({ mood: ({ response }) => void open.push(response) });
    const { runpod, worker, done } = house;
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

  it('tells RunPod of what it could not finish', async () => {
    const open: ServerResponse[] = [];
    const mood: Mood = ({ response }) => void open.push(response);
    await using house = await startWorker({ mood, env: { DRAIN_TIMEOUT: '1ms' } });
    const job = house.runpod.add({ prompt: 'x' });
    await waitFor('it at work', () => open.length === 1);
    house.worker.stop();
    await house.done;
    expect(JSON.parse(job.results[0]?.error ?? '')).toMatchObject({ error_type: 'draining' });
    expect(open[0]?.destroyed).toBe(true);
  });

  it('does not wait at a second wish, nor for a gateway that never came', async () => {
    await using house = await startWorker({ standing: 'loading' });
    house.worker.stop();
    house.worker.stop();
    await house.done;
    expect(house.runpod.faults).toEqual([]);
  });
});
