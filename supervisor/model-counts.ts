import type { LoadTally } from './load-tally.ts';

/** What happened to the engines of a model since the deployment started. The metrics show it as counters. */
export interface ModelCounts {
  readonly restarts: number;
  readonly loads: number;
  readonly loadSeconds: number;
  readonly unloads: number;
  readonly crashes: Readonly<Record<string, number>>;
}

export interface CountedModel {
  readonly id: string;
  readonly engines: readonly {
    readonly restarts: number;
    readonly tally: Pick<LoadTally, 'loads' | 'loadMs' | 'unloads'>;
    readonly crashes: { readonly counts: Readonly<Record<string, number>> };
  }[];
}

const none: ModelCounts = { restarts: 0, loads: 0, loadSeconds: 0, unloads: 0, crashes: {} };

function countsOf({ engines }: CountedModel): ModelCounts {
  return engines
    .map(({ restarts, tally, crashes }) => ({
      ...{ restarts, loads: tally.loads, loadSeconds: tally.loadMs / 1000, unloads: tally.unloads },
      crashes: crashes.counts,
    }))
    .reduce(add, none);
}

/**
 * The counts of models whose engines are gone, because a counter must not decrease: one that comes back under its id, or with
 * another number of replicas, counts on from there. While it is not in `models.json`, its counters are not shown.
 */
export class PastCounts {
  readonly #byModel = new Map<string, ModelCounts>();

  /** A model that will not run again. */
  keep(model: CountedModel): void {
    this.#byModel.set(model.id, this.totalOf(model));
  }

  /** The counts of its present engines and of earlier ones. */
  totalOf(model: CountedModel): ModelCounts {
    return add(this.#byModel.get(model.id) ?? none, countsOf(model));
  }

  /** Restarts of all engines that are gone. */
  get restarts(): number {
    return this.#byModel.values().reduce((sum, { restarts }) => sum + restarts, 0);
  }
}

function add(a: ModelCounts, b: ModelCounts): ModelCounts {
  const crashes: Record<string, number> = { ...a.crashes };
  for (const [name, count] of Object.entries(b.crashes)) crashes[name] = (crashes[name] ?? 0) + count;
  return {
    restarts: a.restarts + b.restarts,
    loads: a.loads + b.loads,
    loadSeconds: a.loadSeconds + b.loadSeconds,
    unloads: a.unloads + b.unloads,
    crashes,
  };
}
