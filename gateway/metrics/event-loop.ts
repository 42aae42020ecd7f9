import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks';

const WINDOW = 15_000;
/** How often the loop is to come by, ms: what is later than that is lag. */
const RESOLUTION = 20;

export interface EventLoopStats {
  /** Seconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** 0 to 1. */
  readonly busy: number;
}

/** How the event loop fares, in windows of 15 s: reset by time rather than by scrapes, so that all scrapers see the same. */
export class EventLoopMonitor implements Disposable {
  readonly #delays = monitorEventLoopDelay({ resolution: RESOLUTION });
  readonly #timer = setInterval(() => this.#turn(), WINDOW).unref();
  #since: EventLoopUtilization = performance.eventLoopUtilization();
  #last: EventLoopStats | undefined;

  constructor() {
    this.#delays.enable();
  }

  /** The last whole window; before there is one, the time so far. */
  get window(): EventLoopStats {
    return this.#last ?? this.#measure();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#delays.disable();
  }

  #turn(): void {
    this.#last = this.#measure();
    this.#delays.reset();
    this.#since = performance.eventLoopUtilization();
  }

  #measure(): EventLoopStats {
    const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - RESOLUTION / 1000);
    return {
      p50: late(this.#delays.percentile(50)),
      p99: late(this.#delays.percentile(99)),
      max: late(this.#delays.max),
      busy: performance.eventLoopUtilization(this.#since).utilization,
    };
  }
}
