import { destination, type Logger, pino } from 'pino';
import { Counter, Histogram } from 'prom-client';
import type { Exchange } from './exchange.ts';

/** A line in the log file, a counter and a histogram. */
export class Bookkeeping {
  private readonly log: Logger;
  private readonly requests = new Counter({
    name: 'requests_total',
    help: 'Requests',
    labelNames: ['status', 'key'],
  });
  private readonly seconds = new Histogram({ name: 'request_seconds', help: 'Duration of requests' });
  /** By status and key, because `labels()` is slow. */
  private readonly counters = new Map<string, Counter.Internal>();

  constructor(logFile: string) {
    this.log = pino({ base: null }, destination({ dest: logFile, sync: false, minLength: 8192 }));
  }

  record({ id, key, status, startedAt, bytes, model }: Exchange): void {
    const ms = performance.now() - startedAt;
    this.counter(status, key).inc();
    this.seconds.observe(ms / 1000);
    this.log.info({ id, key, status, ms, bytes, model });
  }

  private counter(status: number, key: string): Counter.Internal {
    const labels = status + key;
    let counter = this.counters.get(labels);
    if (counter === undefined) {
      counter = this.requests.labels(String(status), key);
      this.counters.set(labels, counter);
    }
    return counter;
  }
}
