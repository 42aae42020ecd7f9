import { readdir } from 'node:fs/promises';
import type { Registry } from 'prom-client';
import { countUnhandledErrors } from '../../log/unhandled-errors.ts';
import { itself } from './catalogue.ts';
import type { EventLoopMonitor } from './event-loop.ts';
import { registerValue } from './register.ts';

/** What the process costs, under the names that Prometheus' client libraries have agreed on. */
export function registerProcessMetrics(
  registry: Registry,
  loop: EventLoopMonitor,
  openFiles: () => number | undefined,
) {
  registerValue(registry, itself.lagMedian, () => loop.window.p50);
  registerValue(registry, itself.lagTail, () => loop.window.p99);
  registerValue(registry, itself.lagMax, () => loop.window.max);
  registerValue(registry, itself.busy, () => loop.window.busy);
  registerValue(registry, itself.cpu, cpuSeconds);
  registerValue(registry, itself.resident, () => process.memoryUsage.rss());
  registerValue(registry, itself.heap, () => process.memoryUsage().heapUsed);
  registerValue(registry, itself.external, () => process.memoryUsage().external);
  registerValue(registry, itself.openFiles, openFiles);
  registerValue(registry, itself.unforeseen, countUnhandledErrors);
  registerValue(registry, itself.startedAt, () => Date.now() / 1000 - process.uptime());
}

/** Undefined where the system does not tell. */
export async function countOpenFiles(): Promise<number | undefined> {
  return readdir('/proc/self/fd').then(
    (names) => names.length,
    () => undefined,
  );
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
