import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { StepReport } from './report.ts';

type Client = StepReport['client'];

const RESOLUTION_MS = 5;

/** Looks at how busy this process is; what it gives ends the look and tells. */
export function measureClientLoad(): () => Client {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  const before = { cpu: process.cpuUsage(), loop: performance.eventLoopUtilization(), at: performance.now() };
  return () => {
    delays.disable();
    const { user, system } = process.cpuUsage(before.cpu);
    const seen = {
      cpu: (user + system) / 1000 / (performance.now() - before.at),
      loop: performance.eventLoopUtilization(before.loop).utilization,
      lagMs: delays.count > 0 ? Math.max(0, delays.percentile(99) / 1e6 - RESOLUTION_MS) : 0,
    };
    return { ...seen, wasBottleneck: wasBottleneck(seen) };
  };
}

/** Whether the figures are those of this program rather than of the endpoint. */
export function wasBottleneck({ loop, lagMs }: Pick<Client, 'loop' | 'lagMs'>): boolean {
  return loop > 0.85 || lagMs > 20;
}
