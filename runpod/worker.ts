import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayClient } from '../client/gateway-client.ts';
import type { Log } from '../log/create-log.ts';
import { recordUnhandledError } from '../log/unhandled-errors.ts';
import type { QueueConfig } from './config.ts';
import type { Job } from './job.ts';
import type { HealthProblem } from './job-urls.ts';
import { retryDelay } from './post-with-retry.ts';
import { QueueClient } from './queue-client.ts';
import { runJob } from './run-job.ts';
import { RunningJobs } from './running-jobs.ts';

/** How often the gateway is polled while it is not ready, ms. */
const gatewayPollMs = 500;
/** How long the queue is left alone after status 429, and how often the capacity is read while all slots are busy, ms. */
const busyMs = 5000;
/** The shortest interval between requests to a queue that responds at once instead of holding them, ms. */
const minPollIntervalMs = 250;
/** This many responses with status 400 in a row are normal. */
const toleratedRejections = 4;
/** The pause between two requests for the stop list, ms. */
const cancellationPollMs = 1000;
/** How long the last results may take to be posted after their jobs were aborted, ms. */
const shutdownGraceMs = 2000;

/** Takes jobs from RunPod's queue, as many at a time as the gateway has slots, and sends them to it. */
export class QueueWorker {
  readonly #config: QueueConfig;
  readonly #log: Log;
  readonly #delayAfter: (failures: number) => number;
  readonly #queue: QueueClient;
  readonly #gateway: GatewayClient;
  readonly #jobs = new RunningJobs();
  /** Aborted when no more jobs are taken. */
  readonly #stopping = new AbortController();
  /** Aborted when nothing is posted any more. */
  readonly #end = new AbortController();
  readonly #force = new AbortController();
  #taking: Promise<void> = Promise.resolve();
  #shutdown: Promise<void> | undefined;
  /** Responses with status 400 in a row. */
  #rejections = 0;
  #reporting: Promise<unknown> = Promise.resolve();

  constructor(config: QueueConfig, log: Log, delayAfter = retryDelay) {
    this.#config = config;
    this.#log = log;
    this.#delayAfter = delayAfter;
    this.#queue = new QueueClient(config);
    this.#gateway = new GatewayClient(config.gateway);
  }

  /** Runs until it is stopped. The first heartbeat reports this worker as ready, so it waits for the model. */
  async run(): Promise<void> {
    while (!this.#isStopping && (await this.#gateway.slots()) === 0) await this.#pause(gatewayPollMs);
    if (!this.#isStopping) {
      this.#log.info('taking jobs from the RunPod queue');
      this.#sendHeartbeats().catch(recordUnhandledError);
      this.#pollCancellations().catch(recordUnhandledError);
      this.#taking = this.#takeJobs();
    }
    await this.#taking;
    await this.#shutdown;
  }

  /** Takes no more jobs and lets the running ones finish within `DRAIN_TIMEOUT`; a second call skips the wait. */
  stop(): void {
    if (this.#shutdown) this.#force.abort();
    this.#shutdown ??= this.#finish().catch(recordUnhandledError);
  }

  /** Reports to RunPod that this worker can do no more jobs, so that other workers get them, and stops it. */
  reportUnhealthy(problem: HealthProblem): void {
    this.#reporting = this.#queue.reportUnhealthy(problem, shutdownGraceMs, this.#end.signal);
    this.stop();
    this.stop();
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #finish(): Promise<void> {
    this.#stopping.abort();
    await this.#reporting;
    await this.#allDone(this.#config.drainMs, this.#force.signal);
    this.#jobs.abortAll();
    await this.#allDone(shutdownGraceMs);
    this.#end.abort();
    await this.#jobs.allEnded();
    await Promise.all([this.#queue.close(), this.#gateway.close()]);
  }

  async #allDone(withinMs: number, orSignal?: AbortSignal): Promise<void> {
    const done = new AbortController();
    const signal = orSignal ? AbortSignal.any([done.signal, orSignal]) : done.signal;
    const timeout = sleep(withinMs, undefined, { signal }).catch(() => {});
    await Promise.race([this.#taking.then(() => this.#jobs.allEnded()), timeout]);
    done.abort();
  }

  async #takeJobs(): Promise<void> {
    let failures = 0;
    while (!this.#isStopping) {
      const capacity = await this.#gateway.slots();
      const free = capacity - this.#jobs.count;
      if (capacity === 0) await this.#pause(gatewayPollMs);
      else if (free <= 0) await Promise.race([this.#jobs.oneEnded(), this.#pause(busyMs)]);
      else failures = await this.#takeSome(free, failures);
    }
  }

  /** Returns the number of failures in a row. */
  async #takeSome(free: number, failures: number): Promise<number> {
    const requestedAt = performance.now();
    const taken = await this.#queue.take(free, this.#jobs.count > 0, this.#stopping.signal);
    if (taken.outcome === 'failed') {
      if (failures === 0 && !this.#isStopping)
        this.#log.warn(`cannot take jobs from the RunPod queue (${taken.reason}); retrying`);
      await this.#pause(this.#delayAfter(failures + 1));
      return failures + 1;
    }
    if (failures > 0) this.#log.info('the RunPod queue is reachable again');
    if (taken.outcome === 'rejected') {
      await this.#waitAfterRejection();
      return 0;
    }
    if (this.#rejections > toleratedRejections) this.#log.info('the RunPod queue accepts this worker again');
    this.#rejections = 0;
    if (taken.outcome === 'jobs') {
      for (const job of taken.jobs) this.#start(job);
      if (taken.unreadable > 0) this.#log.warn({ jobs: taken.unreadable }, 'RunPod sent jobs without an id');
    } else if (taken.outcome === 'busy') await this.#pause(busyMs);
    else if (performance.now() - requestedAt < minPollIntervalMs) await this.#pause(minPollIntervalMs);
    return 0;
  }

  /** A worker that was frozen gets status 400 for a moment; one unknown to RunPod gets it forever. */
  async #waitAfterRejection(): Promise<void> {
    this.#rejections += 1;
    if (this.#rejections === toleratedRejections + 1 && !this.#isStopping)
      this.#log.warn(
        'the RunPod queue keeps responding with status 400 and gives this worker no jobs; check that RUNPOD_WEBHOOK_GET_JOB is the address of this endpoint',
      );
    await this.#pause(
      this.#rejections > toleratedRejections
        ? this.#delayAfter(this.#rejections - toleratedRejections)
        : minPollIntervalMs,
    );
  }

  #start(job: Job): void {
    if (this.#jobs.has(job.id)) this.#log.warn({ job: job.id }, 'RunPod sent a job that is already running');
    else this.#jobs.add(job.id, (signal) => this.#run(job, signal));
  }

  async #run(job: Job, signal: AbortSignal): Promise<void> {
    const startedAt = performance.now();
    const log = this.#log.child({ job: job.id });
    const outcome = await runJob(job, {
      ...{ ...this.#config, queue: this.#queue, gateway: this.#gateway, delayAfter: this.#delayAfter },
      signal,
      stopping: this.#stopping.signal,
      end: this.#end.signal,
      warn: (message) => log.warn(message),
    });
    const ms = Math.round(performance.now() - startedAt);
    if (outcome === 'lost') log.error({ ms }, 'RunPod did not accept the result of this job: it is lost');
    else log.info({ ms }, `job ${outcome}`);
  }

  /** Requests the list of jobs to stop for as long as there are running jobs. */
  async #pollCancellations(): Promise<void> {
    const { signal } = this.#end;
    let failures = 0;
    while (!signal.aborted) {
      await this.#jobs.any();
      const list = await this.#queue.stopList(signal);
      if (list.outcome === 'unsupported') return;
      if (list.outcome === 'received') for (const id of list.ids) this.#jobs.cancel(id);
      failures = list.outcome === 'failed' ? failures + 1 : 0;
      const delayMs = failures > 0 ? this.#delayAfter(failures) : cancellationPollMs;
      await sleep(delayMs, undefined, { signal }).catch(() => {});
    }
  }

  /** Reports to RunPod that this worker is alive, and its running jobs; without heartbeats a worker loses its jobs. */
  async #sendHeartbeats(): Promise<void> {
    const { signal } = this.#end;
    const { pingIntervalMs } = this.#config;
    let isFailing = false;
    while (!signal.aborted) {
      const reason = await this.#queue.ping(this.#jobs.ids, 2 * pingIntervalMs, signal);
      if (reason !== undefined && !isFailing && !signal.aborted)
        this.#log.warn(`heartbeat to RunPod failed (${reason})`);
      isFailing = reason !== undefined;
      await sleep(pingIntervalMs, undefined, { signal }).catch(() => {});
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopping.signal }).catch(() => {});
  }
}
