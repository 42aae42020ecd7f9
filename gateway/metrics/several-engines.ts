import type { EngineServices } from '../engines/engine-services.ts';
import type { ModelDirectory, ModelEntry } from '../engines/model-directory.ts';
import { type EngineMetrics, EngineMetricsReader, noEngineMetrics } from './engine-metrics.ts';

interface LabelledLines {
  /** `model="a"`, or with several engines of a model `model="a",replica="0"`. */
  readonly labels: string;
  readonly lines: string;
}

/** The metrics of the engines of several models, distinguished by a label. */
export class SeveralEngineMetrics {
  readonly #directory: ModelDirectory;
  readonly #unified: boolean;
  readonly #readers = new WeakMap<EngineServices, EngineMetricsReader>();

  /** `unified`: where the record of a model does not say whether its slots share one context. */
  constructor(directory: ModelDirectory, unified: boolean) {
    this.#directory = directory;
    this.#unified = unified;
  }

  async read(): Promise<EngineMetrics> {
    const models = await Promise.all(this.#directory.models.map((model) => this.#readModel(model)));
    const all = models.flat();
    if (all.length === 0) return noEngineMetrics;
    const known = all.flatMap(({ labels, metrics: { lines } }) =>
      lines === undefined ? [] : { labels, lines },
    );
    return {
      // Engines that are not loaded have none; one that is loaded and has none is a problem.
      lines: known.length < all.length ? undefined : joinLabelled(known),
      contextUsage: Math.max(...all.map(({ metrics }) => metrics.contextUsage)),
    };
  }

  #readModel({ record, engines }: ModelEntry) {
    const ready = engines.flatMap((engine, replica) =>
      engine.monitor.status === 'ready' ? { engine, replica } : [],
    );
    const unified = record.ctx === undefined ? this.#unified : record.ctx === 'auto';
    return Promise.all(
      ready.map(async ({ engine, replica }) => {
        const own = engines.length > 1 ? `,replica="${replica}"` : '';
        const metrics = await this.#readerOf(engine, unified).read();
        return { labels: `model=${JSON.stringify(record.id)}${own}`, metrics };
      }),
    );
  }

  #readerOf(engine: EngineServices, unified: boolean): EngineMetricsReader {
    let reader = this.#readers.get(engine);
    if (reader === undefined) {
      const { backend, monitor: backendMonitor, scheduler } = engine;
      reader = new EngineMetricsReader({ backend, backendMonitor, scheduler, unified });
      this.#readers.set(engine, reader);
    }
    return reader;
  }
}

/** All series of a metric have to follow its head. */
export function joinLabelled(engines: readonly LabelledLines[]): string {
  const heads = new Map<string, Set<string>>();
  const samples = new Map<string, string[]>();
  for (const { labels, lines } of engines)
    for (const line of lines.split('\n')) {
      const [, head, name = '', rest = ''] = /^(# \w+ )?([^\s{]+)(.*)$/.exec(line) ?? [];
      if (name === '') continue;
      if (head !== undefined) heads.set(name, (heads.get(name) ?? new Set()).add(line));
      else samples.set(name, [...(samples.get(name) ?? []), name + withLabels(rest, labels)]);
    }
  return [...samples]
    .flatMap(([name, series]) => [...(heads.get(name) ?? []), ...series])
    .map((line) => `${line}\n`)
    .join('');
}

const withLabels = (rest: string, labels: string) =>
  rest.startsWith('{') ? `{${labels},${rest.slice(1)}` : `{${labels}}${rest}`;
