import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { MetricDefinition, MetricSample } from './catalogue.ts';
import type { HistogramData } from './histogram-data.ts';

type Labels<Label extends string> = Readonly<Record<Label, string>>;
type Read<Label extends string> = () => Iterable<MetricSample<Label>>;
type ReadSpreads<Label extends string> = () => Iterable<readonly [Labels<Label>, HistogramData]>;

/**
 * Shows a counter or gauge whose figures somebody else owns: `read` is asked at each scrape, and what it does not name
 * is not shown. The seam for whoever has figures of their own. Labels that are the same object each time are written
 * quicker.
 */
export function registerSamples<Label extends string>(
  registry: Registry,
  family: MetricDefinition<Label>,
  read: Read<Label>,
): void {
  if (family.type === 'gauge') new FigureGauge(registry, family, read);
  else new FigureCounter(registry, family, read);
}

/** As showFigures, for one without labels; undefined shows nothing. */
export function registerValue(
  registry: Registry,
  family: MetricDefinition<never>,
  read: () => number | undefined,
): void {
  registerSamples(registry, family, () => {
    const value = read();
    return value === undefined ? [] : [[none, value]];
  });
}

const none = {};

/** As showFigures, for a histogram. */
export function registerHistograms<Label extends string>(
  registry: Registry,
  family: MetricDefinition<Label>,
  read: ReadSpreads<Label>,
): void {
  new SpreadHistogram(registry, family, read);
}

// Metrics in prom-client's registry that are counted outside of it, by plain numbers: an observation there costs a
// microsecond, and filling one anew for each scrape more than all the rest of the scrape.

class FigureGauge<Label extends string> extends Gauge<Label> {
  readonly #read: Read<Label>;

  constructor(registry: Registry, family: MetricDefinition<Label>, read: Read<Label>) {
    super(configurationOf(registry, family));
    this.#read = read;
  }

  override async get() {
    return { ...(await super.get()), values: valuesOf(this.#read()) };
  }
}

class FigureCounter<Label extends string> extends Counter<Label> {
  readonly #read: Read<Label>;

  constructor(registry: Registry, family: MetricDefinition<Label>, read: Read<Label>) {
    super(configurationOf(registry, family));
    this.#read = read;
  }

  override async get() {
    return { ...(await super.get()), values: valuesOf(this.#read()) };
  }
}

class SpreadHistogram<Label extends string> extends Histogram<Label> {
  readonly #family: MetricDefinition<Label>;
  readonly #read: ReadSpreads<Label>;

  constructor(registry: Registry, family: MetricDefinition<Label>, read: ReadSpreads<Label>) {
    super({ ...configurationOf(registry, family), buckets: [...family.bounds] });
    this.#family = family;
    this.#read = read;
  }

  /** Where the registry, and `get`, have all they show of a histogram from. */
  async getForPromString() {
    const { name, help } = this.#family;
    const values = [...this.#read()].flatMap(([labels, spread]) => this.#seriesOf(labels, spread));
    return { name, help, type: 'histogram', values };
  }

  #seriesOf(sharedLabels: Labels<Label>, spread: HistogramData) {
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
      { metricName: `${name}_sum`, labels: none, sharedLabels, value: spread.sum },
      { metricName: `${name}_count`, labels: none, sharedLabels, value: counts.at(-1) ?? 0 },
    ];
  }
}

function configurationOf<Label extends string>(
  registry: Registry,
  { name, help, labels }: MetricDefinition<Label>,
) {
  return { name, help, labelNames: labels, registers: [registry] };
}

/** The registry writes `sharedLabels` once for each object and remembers the text. */
function valuesOf<Label extends string>(figures: Iterable<MetricSample<Label>>) {
  return Array.from(figures, ([sharedLabels, value]) => ({ labels: {}, sharedLabels, value }));
}
