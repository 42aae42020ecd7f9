import { Registry } from 'prom-client';
import type { Backend } from '../../health/backend.ts';
import packageFile from '../../package.json' with { type: 'json' };
import type { Booking } from '../ledger/usage-batch.ts';
import type { UsageLedger } from '../ledger/usage-ledger.ts';
import { backend, house as houseFamilies, itself, picker, volume } from './catalogue.ts';
import { EngineFigures, type EngineReading } from './engine-figures.ts';
import { EventLoopWatch } from './event-loop.ts';
import { type HouseReading, houseFigures } from './house-figures.ts';
import { keptFresh } from './kept-fresh.ts';
import { KeyTraffic } from './key-traffic.ts';
import { countOpenFiles, showProcess } from './process-figures.ts';
import { showFigure, showFigures } from './show.ts';
import { showBudgets } from './show-budgets.ts';
import { oneOf, type Rooms, showRooms, standings } from './show-rooms.ts';
import { showGeneration, showKeyTraffic, showTraffic } from './show-traffic.ts';
import { type Finished, Traffic } from './traffic.ts';
import { type VolumeReading, volumeFigures } from './volume-figures.ts';
import { type WorkDone, workDone } from './work-done.ts';

/** A page made once serves all who ask within this time, ms, so that no number of scrapers costs more than one. */
const FRESH_FOR = 250;

export interface MetricsParts extends Rooms {
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
  count(finished: Finished): void;
  /** Counts what a key used. */
  book(booking: Booking): void;
  /** The page in Prometheus' text form, with or without the figures of single keys. */
  page(withKeys: boolean): Promise<string>;
}

export function openMetrics(parts: MetricsParts): Metrics {
  const registry = new Registry();
  const keyRegistry = new Registry();
  const traffic = new Traffic();
  const keyTraffic = new KeyTraffic(parts.mostKeys);
  const loop = new EventLoopWatch();
  const engine = new EngineFigures(parts);
  const askHouse = houseFigures(parts.healthUrl);
  const askVolume = volumeFigures(parts.dataDir);
  const outside: Outside = {
    engine: { lines: undefined, cacheInUse: 0 },
    house: undefined,
    volume: undefined,
    openFiles: undefined,
  };

  showTraffic(registry, traffic);
  showGeneration(registry, traffic);
  showRooms(registry, parts);
  showOutside(registry, outside);
  showBuild(registry, parts);
  showProcess(registry, loop, () => outside.openFiles);
  showKeyTraffic(keyRegistry, keyTraffic, parts.costPerHour);
  showBudgets(keyRegistry, parts);

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
  const shared = keptFresh(FRESH_FOR, async () => {
    await lookOutside();
    return `${await registry.metrics()}${outside.engine.lines ?? ''}`;
  });
  const ofKeys = keptFresh(FRESH_FOR, () => keyRegistry.metrics());

  return {
    registry,
    keyRegistry,
    get workDone() {
      return workDone(traffic, keyTraffic);
    },
    count: (finished) => traffic.add(finished),
    book: (booking) => keyTraffic.book(booking),
    page: async (withKeys) => (withKeys ? (await ofKeys()) + (await shared()) : shared()),
    [Symbol.dispose]: () => loop[Symbol.dispose](),
  };
}

/** What other processes and the system told last. */
interface Outside {
  engine: EngineReading;
  house: HouseReading | undefined;
  volume: VolumeReading | undefined;
  openFiles: number | undefined;
}

function showOutside(registry: Registry, outside: Outside): void {
  showFigure(registry, backend.readable, () => Number(outside.engine.lines !== undefined));
  showFigure(registry, picker.cacheInUse, () => outside.engine.cacheInUse);
  showFigure(registry, volume.free, () => outside.volume?.free);
  showFigure(registry, volume.size, () => outside.volume?.size);
  showFigures(registry, houseFamilies.standing, () =>
    outside.house ? oneOf(standings, outside.house.standing) : [],
  );
  showFigure(registry, houseFamilies.loadTime, () => {
    const ms = outside.house?.loadTimeMs;
    return ms == null ? undefined : ms / 1000;
  });
  showFigures(registry, houseFamilies.restarts, () =>
    Object.entries(outside.house?.restarts ?? {}).map(([child, count]) => [{ child }, count] as const),
  );
  showFigures(registry, houseFamilies.crashes, () =>
    Object.entries(outside.house?.crashes ?? {}).flatMap(([child, classes]) =>
      Object.entries(classes).map(([name, count]) => [{ child, class: name }, count] as const),
    ),
  );
}

function showBuild(registry: Registry, { watch }: Rooms): void {
  showFigures(registry, itself.build, () => [
    [{ version: packageFile.version, node: process.versions.node, engine: watch.facts?.buildInfo ?? '' }, 1],
  ]);
}
