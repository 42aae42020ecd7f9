import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { waitFor } from '../harness/wait-for.ts';

/** The calls of a worker that can be made to fail. */
type Call = 'take' | 'stop' | 'done' | 'stream' | 'ping';

/** A job as RunPod sees it. */
export interface QueuedJob {
  readonly id: string;
  readonly input: unknown;
  status: 'IN_QUEUE' | 'IN_PROGRESS' | 'COMPLETED' | 'FAILED' | 'CANCELLED';
  /** The accepted parts of its stream. */
  readonly pieces: unknown[];
  /** The accepted results; more than one is a fault. */
  readonly results: { readonly output?: readonly unknown[]; readonly error?: string }[];
}

/**
 * A small version of RunPod's serverless API: the side for workers, as its Python SDK uses it, and the route for OpenAI
 * clients. Like the real one, it holds requests for jobs open. It records all violations of the protocol.
 */
export interface FakeRunpod extends AsyncDisposable {
  /** The environment of a worker. */
  readonly env: Readonly<Record<string, string>>;
  /** The base URL of OpenAI clients. */
  readonly baseURL: string;
  readonly jobs: ReadonlyMap<string, QueuedJob>;
  /** The requests for jobs: how many, and whether the worker has any. */
  readonly takes: { readonly count: number; readonly hasJobs: boolean }[];
  /** The jobs that each heartbeat named. */
  readonly pings: (readonly string[])[];
  /** Failed fitness checks that workers reported, with the reason. */
  readonly troubles: string[];
  /** Violations of the protocol. */
  readonly faults: string[];
  /** Whether a worker waits for jobs now. */
  isAsked(): boolean;
  add(input: unknown, id?: string): QueuedJob;
  /** Gives a job to a worker once more. */
  handOutAgain(job: QueuedJob): void;
  cancel(job: QueuedJob): void;
  /** The next calls of this kind fail; status 0 closes the connection, 300 to 399 redirects to the same address. */
  fail(call: Call, times: number, status: number): void;
  finished(job: QueuedJob): Promise<QueuedJob>;
}

const apiKey = 'runpod-ai-key-0123456789';
const worker = 'pod-7';
const pollMs = 2000;

export async function startFakeRunpod(): Promise<FakeRunpod> {
  const jobs = new Map<string, QueuedJob>();
  const queue: QueuedJob[] = [];
  const stops: string[] = [];
  const failures: Record<Call, { times: number; status: number }> = {
    take: { times: 0, status: 500 },
    stop: { times: 0, status: 500 },
    done: { times: 0, status: 500 },
    stream: { times: 0, status: 500 },
    ping: { times: 0, status: 500 },
  };
  const takes: FakeRunpod['takes'] = [];
  const pings: (readonly string[])[] = [];
  const troubles: string[] = [];
  const faults: string[] = [];
  const waiting = new Set<ServerResponse>();
  const isOpen = (response: ServerResponse) => !response.destroyed;

  const server = createServer((request, response) => {
    void answer(request, response).catch((error: Error) => {
      faults.push(error.message);
      response.destroy();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', origin);
    const [, , endpoint, call = '', first, second] = url.pathname.split('/');
    if (call === 'openai') return forClients(url.pathname.split('/openai')[1] ?? '', request, response);
    check(endpoint === 'ep' && first === worker, `a strange address: ${url.pathname}`);
    check(request.headers.authorization === apiKey, 'the key is not shown as RunPod wants it');
    check(url.searchParams.get('gpu') === 'CPU', 'the query of the address got lost');
    check(
      /^llama-corral\//.test(request.headers['user-agent'] ?? ''),
      'a question of somebody without a name',
    );
    if (mayFail(call, request, response)) return;
    if (call === 'job-take' || call === 'job-take-batch') return handOut(call, url, response);
    if (call === 'job-stop') return sendStops(response);
    if (call === 'ping') {
      const { status, check: failed, reason } = Object.fromEntries(url.searchParams);
      if (status === 'unhealthy') troubles.push(`${failed}: ${reason}`);
      else pings.push((url.searchParams.get('job_id') ?? '').split(',').filter(Boolean));
      check(url.searchParams.has('runpod_version'), 'a heartbeat without a version');
      return respond(response, 200, {});
    }
    const job = jobs.get(second ?? '');
    check(job !== undefined, `a job that never was: ${second}`);
    if (job) await takeIn(call, job, { url, request, response });
  }

  function check(isGood: boolean, fault: string): void {
    if (!isGood) faults.push(fault);
  }

  function mayFail(call: string, request: IncomingMessage, response: ServerResponse): boolean {
    const kind = call.replace('job-', '').replace('-batch', '') as Call;
    const failure = failures[kind];
    if (failure === undefined || failure.times === 0) return false;
    failure.times -= 1;
    if (failure.status === 0) response.destroy();
    else if (failure.status >= 300 && failure.status < 400)
      response.writeHead(failure.status, { location: request.url ?? '' }).end();
    else respond(response, failure.status, { error: 'not now' });
    return true;
  }

  async function handOut(call: string, url: URL, response: ServerResponse): Promise<void> {
    const count = call === 'job-take' ? 1 : Number(url.searchParams.get('batch_size'));
    takes.push({ count, hasJobs: url.searchParams.get('job_in_progress') === '1' });
    waiting.add(response);
    await held(response, () => queue.length > 0);
    waiting.delete(response);
    if (!isOpen(response)) return;
    const given = queue.splice(0, count);
    for (const job of given) job.status = 'IN_PROGRESS';
    const body = given.map(({ id, input }) => ({ id, input }));
    if (given.length === 0) respond(response, 204);
    else respond(response, 200, call === 'job-take' ? body[0] : body);
  }

  async function sendStops(response: ServerResponse): Promise<void> {
    await held(response, () => stops.length > 0);
    if (!isOpen(response)) return;
    if (stops.length === 0) respond(response, 204);
    else respond(response, 200, { jobsToStop: stops.splice(0) });
  }

  async function held(response: ServerResponse, isDue: () => boolean): Promise<void> {
    await waitFor('work', () => isDue() || !isOpen(response), { within: pollMs }).catch(() => {});
  }

  async function takeIn(call: string, job: QueuedJob, posted: PostedParts): Promise<void> {
    const { url, request, response } = posted;
    const { headers } = request;
    check(headers['content-type'] === 'application/x-www-form-urlencoded', 'no form');
    check(headers['x-request-id'] === job.id, 'a request id that is not the job');
    const body = JSON.parse(await text(request)) as QueuedJob['results'][number];
    const isStream = url.searchParams.get('isStream');
    if (call === 'job-stream') {
      check(isStream === 'false', 'a part that is marked as the end');
      check(job.results.length === 0, 'a part after the result');
      job.pieces.push(body.output);
    } else {
      check(call === 'job-done' && isStream === 'true', `a result that does not end a stream: ${call}`);
      check(job.status === 'IN_PROGRESS', `a result of a job that is ${job.status}`);
      job.results.push(body);
      job.status = body.error === undefined ? 'COMPLETED' : 'FAILED';
    }
    respond(response, 200, {});
  }

  /** RunPod's OpenAI route: the request is the input of a job, and what the worker posts is the response. */
  async function forClients(
    route: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const body = request.method === 'POST' ? (JSON.parse(await text(request)) as { stream?: boolean }) : {};
    const job = add({ openai_route: route, openai_input: body });
    response.on('close', () => {
      // Some clients close as soon as they have read the end mark.
      if (!response.writableFinished && !job.pieces.join('').includes('[DONE]')) cancel(job);
    });
    if (body.stream) return streamTo(response, job);
    await finished(job);
    const { output = [], error } = job.results[0] ?? {};
    if (error === undefined) respond(response, 200, output[0]);
    else respond(response, 500, { error: JSON.parse(error) as unknown });
  }

  async function streamTo(response: ServerResponse, job: QueuedJob): Promise<void> {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let sent = 0; isOpen(response); ) {
      await waitFor('a part', () => job.pieces.length > sent || job.results.length > 0 || !isOpen(response));
      const piece = job.pieces[sent];
      if (piece === undefined) break;
      response.write(String(piece));
      sent += 1;
    }
    response.end();
  }

  function add(input: unknown, id: string = randomUUID()): QueuedJob {
    const job: QueuedJob = { id, input, status: 'IN_QUEUE', pieces: [], results: [] };
    jobs.set(id, job);
    queue.push(job);
    return job;
  }

  function cancel(job: QueuedJob): void {
    job.status = 'CANCELLED';
    stops.push(job.id);
  }

  async function finished(job: QueuedJob): Promise<QueuedJob> {
    await waitFor(`the result of ${job.id}`, () => job.results.length > 0, { within: 60_000 });
    return job;
  }

  const address = (call: string) => `${origin}/v2/ep/${call}?gpu=CPU`;
  return {
    env: {
      RUNPOD_ENDPOINT_ID: 'ep',
      RUNPOD_POD_ID: worker,
      RUNPOD_AI_API_KEY: apiKey,
      RUNPOD_WEBHOOK_GET_JOB: address('job-take/$ID'),
      RUNPOD_WEBHOOK_POST_OUTPUT: address('job-done/$RUNPOD_POD_ID/$ID'),
      RUNPOD_WEBHOOK_POST_STREAM: address('job-stream/$RUNPOD_POD_ID/$ID'),
      RUNPOD_WEBHOOK_PING: address('ping/$RUNPOD_POD_ID'),
      RUNPOD_PING_INTERVAL: '200',
    },
    baseURL: `${origin}/v2/ep/openai/v1`,
    ...{ jobs, takes, pings, troubles, faults, add, cancel, finished },
    isAsked: () => waiting.size > 0,
    handOutAgain: (job) => queue.push(job),
    fail(call, times, status) {
      failures[call] = { times, status };
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

interface PostedParts {
  readonly url: URL;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

function respond(response: ServerResponse, status: number, body?: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
