import { readdir } from 'node:fs/promises';
import type { Registry } from 'prom-client';
import { countUnhandledErrors } from '../../log/unhandled-errors.ts';
import { gatewayProcess } from './catalogue.ts';
import type { EventLoopMonitor } from './event-loop.ts';
import { registerValue } from './register.ts';

/** What the process costs, under the names that Prometheus' client libraries have agreed on. */
export function registerProcessMetrics(
  registry: Registry,
  loop: EventLoopMonitor,
  openFiles: () => number | undefined,
) {
  registerValue(registry, gatewayProcess.lagMedian, () => loop.window.p50);
  registerValue(registry, gatewayProcess.lagTail, () => loop.window.p99);
  registerValue(registry, gatewayProcess.lagMax, () => loop.window.max);
  registerValue(registry, gatewayProcess.busy, () => loop.window.busy);
  registerValue(registry, gatewayProcess.cpu, cpuSeconds);
  registerValue(registry, gatewayProcess.resident, () => process.memoryUsage.rss());
  registerValue(registry, gatewayProcess.heap, () => process.memoryUsage().heapUsed);
  registerValue(registry, gatewayProcess.external, () => process.memoryUsage().external);
  registerValue(registry, gatewayProcess.openFiles, openFiles);
  registerValue(registry, gatewayProcess.unexpectedErrors, countUnhandledErrors);
  registerValue(registry, gatewayProcess.startedAt, () => Date.now() / 1000 - process.uptime());
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
