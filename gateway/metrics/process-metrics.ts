import { readdir, statfs } from 'node:fs/promises';
import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Registry } from 'prom-client';
import { countUnhandledErrors } from '../../log/unhandled-errors.ts';
import { cacheFor } from '../http/cache-for.ts';
import { withDeadline } from '../limits/with-deadline.ts';
import { gatewayProcess } from './catalogue.ts';
import { registerValue } from './register.ts';

/** Metrics of this process, under the names that Prometheus' client libraries share. */
export function registerProcessMetrics(
  registry: Registry,
  loop: EventLoopMonitor,
  openFiles: () => number | undefined,
): void {
  registerValue(registry, gatewayProcess.lagMedian, () => loop.stats.p50);
  registerValue(registry, gatewayProcess.lagTail, () => loop.stats.p99);
  registerValue(registry, gatewayProcess.lagMax, () => loop.stats.max);
  registerValue(registry, gatewayProcess.busy, () => loop.stats.busy);
  registerValue(registry, gatewayProcess.cpu, getCpuSeconds);
  registerValue(registry, gatewayProcess.resident, () => process.memoryUsage.rss());
  registerValue(registry, gatewayProcess.heap, () => process.memoryUsage().heapUsed);
  registerValue(registry, gatewayProcess.external, () => process.memoryUsage().external);
  registerValue(registry, gatewayProcess.openFiles, openFiles);
  registerValue(registry, gatewayProcess.unexpectedErrors, countUnhandledErrors);
  registerValue(registry, gatewayProcess.startedAt, () => Date.now() / 1000 - process.uptime());
}

/** Undefined if the system does not provide it. */
export async function countOpenFiles(): Promise<number | undefined> {
  return readdir('/proc/self/fd').then(
    (names) => names.length,
    () => undefined,
  );
}

function getCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

const WINDOW = 15_000;
/** The interval of the timer that measures the delay, ms. */
const RESOLUTION = 20;

interface EventLoopStats {
  /** Seconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** 0 to 1. */
  readonly busy: number;
}

/** Event loop lag in windows of 15 s. Time ends a window, not a scrape, so that all scrapers see the same values. */
export class EventLoopMonitor implements Disposable {
  readonly #delays = monitorEventLoopDelay({ resolution: RESOLUTION });
  readonly #timer = setInterval(() => this.#startWindow(), WINDOW).unref();
  #utilizationAtStart: EventLoopUtilization = performance.eventLoopUtilization();
  #last: EventLoopStats | undefined;

  constructor() {
    this.#delays.enable();
  }

  /** Statistics of the last complete window; before there is one, of the time so far. */
  get stats(): EventLoopStats {
    return this.#last ?? this.#measure();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#delays.disable();
  }

  #startWindow(): void {
    this.#last = this.#measure();
    this.#delays.reset();
    this.#utilizationAtStart = performance.eventLoopUtilization();
  }

  #measure(): EventLoopStats {
    const lag = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - RESOLUTION / 1000);
    return {
      p50: lag(this.#delays.percentile(50)),
      p99: lag(this.#delays.percentile(99)),
      max: lag(this.#delays.max),
      busy: performance.eventLoopUtilization(this.#utilizationAtStart).utilization,
    };
  }
}

const VOLUME_MAX_AGE = 5000;
const VOLUME_TIMEOUT = 300;

export interface VolumeSpace {
  /** Bytes available to this process: on many systems, a part of the free space is reserved for root. */
  readonly free: number;
  readonly size: number;
}

/**
 * Reads the space on the volume of a folder; undefined if the system does not provide it. A volume that hangs blocks only
 * one call of the system, and delays a scrape only briefly.
 */
export function createVolumeReader(folder: string): () => Promise<VolumeSpace | undefined> {
  const read = cacheFor(VOLUME_MAX_AGE, () => readVolume(folder));
  return () => withDeadline(VOLUME_TIMEOUT, read()).catch(() => undefined);
}

async function readVolume(folder: string): Promise<VolumeSpace | undefined> {
  return statfs(folder).then(
    ({ bavail, blocks, bsize }) => ({ free: bavail * bsize, size: blocks * bsize }),
    () => undefined,
  );
}
