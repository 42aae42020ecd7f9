import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Family, Figure } from './family.ts';
import type { Spread } from './spread.ts';

type Labels<Label extends string> = Readonly<Record<Label, string>>;

/**
 * Shows a counter or gauge whose figures somebody else owns: `read` is asked at each scrape, and what it does not name
 * is not shown. The seam for whoever has figures of their own.
 */
export function showFigures<Label extends string>(
  registry: Registry,
  { type, name, help, labels }: Family<Label>,
  read: () => Iterable<Figure<Label>>,
): void {
  const Metric = type === 'gauge' ? Gauge : Counter;
  const metric: Counter<Label> | Gauge<Label> = new Metric({
    name,
    help,
    labelNames: labels,
    registers: [registry],
    collect() {
      metric.reset();
      // One without labels is born with a value.
      if (labels.length === 0) metric.remove();
      for (const [of, value] of read()) metric.inc(of, value);
    },
  });
}

/** As showFigures, for one without labels; undefined shows nothing. */
export function showFigure(registry: Registry, family: Family<never>, read: () => number | undefined): void {
  showFigures(registry, family, () => {
    const value = read();
    return value === undefined ? [] : [[{}, value]];
  });
}

/** As showFigures, for a histogram. */
export function showSpreads<Label extends string>(
  registry: Registry,
  family: Family<Label>,
  read: () => Iterable<readonly [Labels<Label>, Spread]>,
): void {
  new SpreadHistogram(registry, family, read);
}

/** A histogram in prom-client's registry that is counted outside of it, where a value costs a tenth. */
class SpreadHistogram<Label extends string> extends Histogram<Label> {
  readonly #family: Family<Label>;
  readonly #read: () => Iterable<readonly [Labels<Label>, Spread]>;

  constructor(
    registry: Registry,
    family: Family<Label>,
    read: () => Iterable<readonly [Labels<Label>, Spread]>,
  ) {
    const { name, help, labels, bounds } = family;
    super({ name, help, labelNames: labels, buckets: [...bounds], registers: [registry] });
    this.#family = family;
    this.#read = read;
  }

  /** Where the registry, and `get`, have all they show of a histogram from. */
  async getForPromString() {
    const { name, help } = this.#family;
    const values = [...this.#read()].flatMap(([labels, spread]) => this.#seriesOf(labels, spread));
    return { name, help, type: 'histogram', values };
  }

  #seriesOf(sharedLabels: Labels<Label>, spread: Spread) {
    const { name, bounds } = this.#family;
    const counts = spread.cumulative;
    const buckets = counts.map((value, index) => ({
      metricName: `${name}_bucket`,
      labels: { le: bounds[index] ?? '+Inf' },
      sharedLabels,
      value,
    }));
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: {}, sharedLabels, value: spread.sum },
      { metricName: `${name}_count`, labels: {}, sharedLabels, value: counts.at(-1) ?? 0 },
    ];
  }
}
