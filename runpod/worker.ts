import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../log/create-log.ts';
import { recordUnhandledError } from '../log/unhandled-errors.ts';
import type { QueueConfig } from './config.ts';
import { GatewayClient } from './gateway-client.ts';
import { sendHeartbeats } from './heartbeat.ts';
import type { Job } from './job.ts';
import type { HealthProblem } from './job-urls.ts';
import { QueueClient } from './queue-client.ts';
import { retryDelay } from './retry-delay.ts';
import { runJob } from './run-job.ts';
import { RunningJobs } from './running-jobs.ts';

/** How long the queue is not asked, ms: while the gateway is not ready, and where the queue said so. */
const lookMs = 500;
const busyMs = 5000;
/** Between two questions that were answered at once, ms: a queue that does not hold them would be asked without end. */
const breathMs = 250;
/** So often in a row 400 is nothing to speak of. */
const fewUnwelcome = 4;
/** Between two looks at what is to be stopped, ms. */
const stopPauseMs = 1000;
/** What the last results may take to be posted once their jobs were broken off, ms. */
const farewellMs = 2000;

/** Takes jobs from RunPod's queue, as many at a time as the gateway answers, and hands them to it. */
export class QueueWorker {
  readonly #config: QueueConfig;
  readonly #log: Log;
  readonly #pauseAfter: (failures: number) => number;
  readonly #queue: QueueClient;
  readonly #gateway: GatewayClient;
  readonly #jobs = new RunningJobs();
  /** Aborted when no job is to be taken any more. */
  readonly #stopping = new AbortController();
  /** Aborted when nothing is to be posted any more. */
  readonly #end = new AbortController();
  readonly #hurry = new AbortController();
  #taking: Promise<void> = Promise.resolve();
  #farewell: Promise<void> | undefined;
  /** How often in a row RunPod has said 400. */
  #unwelcome = 0;
  #telling: Promise<unknown> = Promise.resolve();

  constructor(config: QueueConfig, log: Log, pause = retryDelay) {
    this.#config = config;
    this.#log = log;
    this.#pauseAfter = pause;
    this.#queue = new QueueClient(config);
    this.#gateway = new GatewayClient(config.gateway);
  }

  /** Works until it is stopped. The first heartbeat says that this worker is ready, so it waits until the model is. */
  async run(): Promise<void> {
    while (!this.#isStopping && (await this.#gateway.capacity()) === 0) await this.#rest(lookMs);
    if (!this.#isStopping) {
      this.#log.info("taking jobs from RunPod's queue");
      this.#beat().catch(recordUnhandledError);
      this.#heedStops().catch(recordUnhandledError);
      this.#taking = this.#takeJobs();
    }
    await this.#taking;
    await this.#farewell;
  }

  /** Takes nothing new and lets what runs finish, within `DRAIN_TIMEOUT`; a second call does not wait. */
  stop(): void {
    if (this.#farewell) this.#hurry.abort();
    this.#farewell ??= this.#finish().catch(recordUnhandledError);
  }

  /** Tells RunPod that this worker can do no more jobs, so that others are asked, and ends it. */
  tellTrouble(trouble: HealthProblem): void {
    this.#telling = this.#queue.tellTrouble(trouble, farewellMs, this.#end.signal);
    this.stop();
    this.stop();
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #finish(): Promise<void> {
    this.#stopping.abort();
    await this.#telling;
    await this.#allDone(this.#config.drainMs, this.#hurry.signal);
    this.#jobs.endAll();
    await this.#allDone(farewellMs);
    this.#end.abort();
    await this.#jobs.allEnded();
    await Promise.all([this.#queue.close(), this.#gateway.close()]);
  }

  async #allDone(withinMs: number, orSignal?: AbortSignal): Promise<void> {
    const enough = new AbortController();
    const signal = orSignal ? AbortSignal.any([enough.signal, orSignal]) : enough.signal;
    const patience = sleep(withinMs, undefined, { signal }).catch(() => {});
    await Promise.race([this.#taking.then(() => this.#jobs.allEnded()), patience]);
    enough.abort();
  }

  async #takeJobs(): Promise<void> {
    let failures = 0;
    while (!this.#isStopping) {
      const capacity = await this.#gateway.capacity();
      const free = capacity - this.#jobs.count;
      if (capacity === 0) await this.#rest(lookMs);
      else if (free <= 0) await Promise.race([this.#jobs.oneEnded(), this.#rest(busyMs)]);
      else failures = await this.#takeSome(free, failures);
    }
  }

  /** Answers how often in a row the queue has failed now. */
  async #takeSome(free: number, failures: number): Promise<number> {
    const askedAt = performance.now();
    const taken = await this.#queue.take(free, this.#jobs.count > 0, this.#stopping.signal);
    if (taken.outcome === 'failed') {
      if (failures === 0 && !this.#isStopping)
        this.#log.warn(`RunPod's queue cannot be asked for jobs (${taken.why}): trying again`);
      await this.#rest(this.#pauseAfter(failures + 1));
      return failures + 1;
    }
    if (failures > 0) this.#log.info("RunPod's queue can be asked for jobs again");
    if (taken.outcome === 'unwelcome') {
      await this.#bearUnwelcome();
      return 0;
    }
    if (this.#unwelcome > fewUnwelcome) this.#log.info("RunPod's queue gives this worker jobs again");
    this.#unwelcome = 0;
    if (taken.outcome === 'jobs') {
      for (const job of taken.jobs) this.#begin(job);
      if (taken.unreadable > 0) this.#log.warn({ jobs: taken.unreadable }, 'RunPod gave jobs without an id');
    } else if (taken.outcome === 'busy') await this.#rest(busyMs);
    else if (performance.now() - askedAt < breathMs) await this.#rest(breathMs);
    return 0;
  }

  /** A worker that was frozen hears 400 for a moment; one that RunPod does not know for ever, and less and less often. */
  async #bearUnwelcome(): Promise<void> {
    this.#unwelcome += 1;
    if (this.#unwelcome === fewUnwelcome + 1 && !this.#isStopping)
      this.#log.warn(
        "RunPod's queue answers 400 again and again, so there is no job for this worker: is RUNPOD_WEBHOOK_GET_JOB the address of this endpoint?",
      );
    await this.#rest(
      this.#unwelcome > fewUnwelcome ? this.#pauseAfter(this.#unwelcome - fewUnwelcome) : breathMs,
    );
  }

  #begin(job: Job): void {
    if (this.#jobs.has(job.id)) this.#log.warn({ job: job.id }, 'RunPod gave a job that is at work already');
    else this.#jobs.add(job.id, (signal) => this.#do(job, signal));
  }

  async #do(job: Job, signal: AbortSignal): Promise<void> {
    const beganAt = performance.now();
    const log = this.#log.child({ job: job.id });
    const end = await runJob(job, {
      ...{ ...this.#config, queue: this.#queue, gateway: this.#gateway, pauseAfter: this.#pauseAfter },
      signal,
      stopping: this.#stopping.signal,
      end: this.#end.signal,
      patienceMs: this.#config.gatewayTimeoutMs,
      warn: (words) => log.warn(words),
    });
    const ms = Math.round(performance.now() - beganAt);
    if (end === 'lost') log.error({ ms }, "RunPod has not taken the job's result: it is lost");
    else log.info({ ms }, `job ${end}`);
  }

  /** Asks which jobs to stop for as long as there are any. */
  async #heedStops(): Promise<void> {
    const { signal } = this.#end;
    let failures = 0;
    while (!signal.aborted) {
      await this.#jobs.any();
      const list = await this.#queue.stopList(signal);
      if (list.outcome === 'unknown') return;
      if (list.outcome === 'told') for (const id of list.ids) this.#jobs.cancel(id);
      failures = list.outcome === 'failed' ? failures + 1 : 0;
      const pauseMs = failures > 0 ? this.#pauseAfter(failures) : stopPauseMs;
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
    }
  }

  #beat(): Promise<void> {
    return sendHeartbeats({
      queue: this.#queue,
      intervalMs: this.#config.pingIntervalMs,
      jobIds: () => this.#jobs.ids,
      signal: this.#end.signal,
      onTrouble: (why) => this.#log.warn(`RunPod did not take a heartbeat (${why})`),
    });
  }

  async #rest(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopping.signal }).catch(() => {});
  }
}
