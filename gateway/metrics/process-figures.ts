import { readdir } from 'node:fs/promises';
import type { Registry } from 'prom-client';
import { countUnforeseen } from '../../log/unforeseen.ts';
import { itself } from './catalogue.ts';
import type { EventLoopWatch } from './event-loop.ts';
import { showFigure } from './show.ts';

/** What the process costs, under the names that Prometheus' client libraries have agreed on. */
export function showProcess(registry: Registry, loop: EventLoopWatch, openFiles: () => number | undefined) {
  showFigure(registry, itself.lagMedian, () => loop.window.p50);
  showFigure(registry, itself.lagTail, () => loop.window.p99);
  showFigure(registry, itself.lagMax, () => loop.window.max);
  showFigure(registry, itself.busy, () => loop.window.busy);
  showFigure(registry, itself.cpu, cpuSeconds);
  showFigure(registry, itself.resident, () => process.memoryUsage.rss());
  showFigure(registry, itself.heap, () => process.memoryUsage().heapUsed);
  showFigure(registry, itself.external, () => process.memoryUsage().external);
  showFigure(registry, itself.openFiles, openFiles);
  showFigure(registry, itself.unforeseen, countUnforeseen);
  showFigure(registry, itself.startedAt, () => Date.now() / 1000 - process.uptime());
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
