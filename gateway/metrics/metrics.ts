import { Registry } from 'prom-client';
import type { Backend } from '../../health/backend.ts';
import packageFile from '../../package.json' with { type: 'json' };
import { cacheFor } from '../http/cache-for.ts';
import { createSupervisorStatusReader, type SupervisorStatus } from '../ipc/supervisor-status.ts';
import type { RequestFinished } from '../proxy/request-events.ts';
import type { UsageEntry } from '../usage/usage-batch.ts';
import type { UsageLedger } from '../usage/usage-ledger.ts';
import { registerBudgetMetrics } from './budget-metrics.ts';
import { backend, endpointPicker, gatewayProcess, system as systemMetrics, volume } from './catalogue.ts';
import { type MetricSources, oneHot, registerComponentMetrics, statuses } from './component-metrics.ts';
import { type EngineMetrics, EngineMetricsReader } from './engine-metrics.ts';
import { EventLoopMonitor } from './event-loop.ts';
import { KeyTraffic } from './key-traffic.ts';
import { countOpenFiles, registerProcessMetrics } from './process-metrics.ts';
import { registerSamples, registerValue } from './register.ts';
import { Traffic } from './traffic.ts';
import { registerGenerationMetrics, registerKeyMetrics, registerTrafficMetrics } from './traffic-metrics.ts';
import { createVolumeReader, type VolumeSpace } from './volume-space.ts';
import { type WorkDone, workDone } from './work-done.ts';

/** A page made once serves all who ask within this time, ms, so that no number of scrapers costs more than one. */
const FRESH_FOR = 250;

export interface MetricsOptions extends MetricSources {
  readonly backend: Backend;
  /** Whether the slots of the backend share one context. */
  readonly unified: boolean;
  /** Where the supervisor's health server answers; undefined where there is none. */
  readonly healthUrl: string | undefined;
  readonly mostKeys: number;
  readonly ledger: Pick<UsageLedger, 'problem' | 'today'>;
  /** Whose volume is watched. */
  readonly dataDir: string;
}

/** All that `/metrics` shows. Others add figures of their own to the registry (show.ts). */
export interface Metrics extends Disposable {
  readonly registry: Registry;
  /** For the figures of single keys. */
  readonly keyRegistry: Registry;
  readonly workDone: WorkDone;
  /** Counts a request, once, when it is over. */
  onRequestFinished(finished: RequestFinished): void;
  /** Counts what a key used. */
  recordUsage(booking: UsageEntry): void;
  /** The page in Prometheus' text form, with or without the figures of single keys. */
  page(withKeys: boolean): Promise<string>;
}

export function createMetrics(parts: MetricsOptions): Metrics {
  const registry = new Registry();
  const keyRegistry = new Registry();
  const traffic = new Traffic();
  const keyTraffic = new KeyTraffic(parts.mostKeys);
  const loop = new EventLoopMonitor();
  const engine = new EngineMetricsReader(parts);
  const askHouse = createSupervisorStatusReader(parts.healthUrl);
  const askVolume = createVolumeReader(parts.dataDir);
  const outside: Outside = {
    engine: { lines: undefined, cacheInUse: 0 },
    house: undefined,
    volume: undefined,
    openFiles: undefined,
  };

  registerTrafficMetrics(registry, traffic);
  registerGenerationMetrics(registry, traffic);
  registerComponentMetrics(registry, parts);
  showOutside(registry, outside);
  showBuild(registry, parts);
  registerProcessMetrics(registry, loop, () => outside.openFiles);
  registerKeyMetrics(keyRegistry, keyTraffic, parts.costPerHour);
  registerBudgetMetrics(keyRegistry, parts);

  /** What is not in this process is asked for first; the rest is read when the page is written. */
  async function lookOutside(): Promise<void> {
    const [reading, house, volume, openFiles] = await Promise.all([
      engine.read(),
      askHouse(),
      askVolume(),
      countOpenFiles(),
    ]);
    Object.assign(outside, { engine: reading, house, volume, openFiles });
  }
  const shared = cacheFor(FRESH_FOR, async () => {
    await lookOutside();
    return `${await registry.metrics()}${outside.engine.lines ?? ''}`;
  });
  const ofKeys = cacheFor(FRESH_FOR, () => keyRegistry.metrics());

  return {
    registry,
    keyRegistry,
    get workDone() {
      return workDone(traffic, keyTraffic);
    },
    onRequestFinished: (finished) => traffic.add(finished),
    recordUsage: (booking) => keyTraffic.record(booking),
    page: async (withKeys) => (withKeys ? (await ofKeys()) + (await shared()) : shared()),
    [Symbol.dispose]: () => loop[Symbol.dispose](),
  };
}

/** What other processes and the system told last. */
interface Outside {
  engine: EngineMetrics;
  house: SupervisorStatus | undefined;
  volume: VolumeSpace | undefined;
  openFiles: number | undefined;
}

function showOutside(registry: Registry, outside: Outside): void {
  registerValue(registry, backend.engineMetricsUp, () => Number(outside.engine.lines !== undefined));
  registerValue(registry, endpointPicker.cacheInUse, () => outside.engine.cacheInUse);
  registerValue(registry, volume.free, () => outside.volume?.free);
  registerValue(registry, volume.size, () => outside.volume?.size);
  registerSamples(registry, systemMetrics.status, () =>
    outside.house ? oneHot(statuses, outside.house.standing) : [],
  );
  registerValue(registry, systemMetrics.loadTime, () => {
    const ms = outside.house?.loadTimeMs;
    return ms == null ? undefined : ms / 1000;
  });
  registerSamples(registry, systemMetrics.restarts, () =>
    Object.entries(outside.house?.restarts ?? {}).map(([child, count]) => [{ child }, count] as const),
  );
  registerSamples(registry, systemMetrics.crashes, () =>
    Object.entries(outside.house?.crashes ?? {}).flatMap(([child, classes]) =>
      Object.entries(classes).map(([name, count]) => [{ child, class: name }, count] as const),
    ),
  );
}

function showBuild(registry: Registry, { watch }: MetricSources): void {
  registerSamples(registry, gatewayProcess.build, () => [
    [{ version: packageFile.version, node: process.versions.node, engine: watch.props?.buildInfo ?? '' }, 1],
  ]);
}
