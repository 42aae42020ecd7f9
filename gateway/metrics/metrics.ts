import type { Backend } from '../../health/backend.ts';
import type { SupervisorStatus } from '../../health/supervisor-status.ts';
import packageFile from '../../package.json' with { type: 'json' };
import type { StoreStatistics } from '../../store/statistics.ts';
import type { UsageSums } from '../api/usage.ts';
import type { ModelDirectory } from '../engines/model-directory.ts';
import { cacheFor } from '../http/cache-for.ts';
import { type Authenticator, authenticate, presentedSecrets } from '../middleware/authenticate.ts';
import { guarded } from '../middleware/guard.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';
import type { RequestFinished } from '../proxy/request-record.ts';
import { backend, endpointPicker, gatewayProcess, system as systemMetrics, volume } from './catalogue.ts';
import { type MetricSources, registerComponentMetrics } from './component-metrics.ts';
import { type EngineMetrics, EngineMetricsReader, noEngineMetrics } from './engine-metrics.ts';
import {
  type BudgetSources,
  KeyTraffic,
  registerBudgetMetrics,
  registerKeyTrafficMetrics,
} from './key-metrics.ts';
import { registerDirectoryMetrics, registerModelMetrics } from './model-metrics.ts';
import {
  countOpenFiles,
  createVolumeReader,
  EventLoopMonitor,
  registerProcessMetrics,
  type VolumeSpace,
} from './process-metrics.ts';
import { Registry } from './prom-client.ts';
import { registerSamples, registerValue, statusSamples } from './register.ts';
import { SeveralEngineMetrics } from './several-engines.ts';
import { registerStoreMetrics } from './store-metrics.ts';
import { registerMachineTimeMetrics, registerTrafficMetrics, Traffic } from './traffic.ts';

/** Scrapes within this time, ms, share one page, so that any number of scrapers costs no more than one. */
const PAGE_MAX_AGE = 250;

export interface MetricsOptions extends MetricSources {
  /** Undefined with several models. */
  readonly backend: Backend | undefined;
  /** Whether the slots of the backend share one context. */
  readonly unified: boolean;
  readonly getSupervisorStatus: () => Promise<SupervisorStatus | undefined>;
  /** Undefined with one model. */
  readonly directory: ModelDirectory | undefined;
  /** Keys with series of their own. */
  readonly maxKeys: number;
  readonly ledger: MetricSources['ledger'] & BudgetSources['ledger'];
  /** Returns undefined while the store cannot be read. Undefined unless `STORE=on`. */
  readonly readStore: (() => StoreStatistics | undefined) | undefined;
  /** The free space on its volume is shown. */
  readonly dataDir: string;
}

interface WorkOfOne {
  readonly output: number;
  readonly processed: number;
  readonly machineMs: number;
}

/** Tokens and machine time since the gateway started, overall, by key and by model. */
export interface WorkDone {
  readonly output: number;
  /** Output and uncached input. */
  readonly processed: number;
  readonly keys: ReadonlyMap<string, WorkOfOne>;
  readonly models: ReadonlyMap<string, WorkOfOne>;
}

/** Everything that `/metrics` shows. Other components can register their own metrics (register.ts). */
export interface Metrics extends Disposable {
  readonly registry: Registry;
  /** For metrics by key, which not every client may see. */
  readonly keyRegistry: Registry;
  readonly workDone: WorkDone;
  readonly onRequestFinished: (event: RequestFinished) => void;
  readonly recordUsage: (entry: { readonly keyId: string; readonly usage: Readonly<UsageSums> }) => void;
  /** The page in Prometheus' text format, with or without the metrics by key. */
  render(withKeys: boolean): Promise<string>;
}

export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  const keyRegistry = new Registry();
  const traffic = new Traffic();
  const keyTraffic = new KeyTraffic(options.maxKeys);
  const loop = new EventLoopMonitor();
  const { directory, unified } = options;
  const engine = directory ? new SeveralEngineMetrics(directory, unified) : new EngineMetricsReader(options);
  const readVolume = createVolumeReader(options.dataDir);
  const external: ExternalMetrics = {
    engine: noEngineMetrics,
    supervisor: undefined,
    store: undefined,
    volume: undefined,
    openFiles: undefined,
  };

  registerTrafficMetrics(registry, traffic);
  registerComponentMetrics(registry, options);
  registerExternalMetrics(registry, external);
  registerModelMetrics(registry, () => external.supervisor);
  registerDirectoryMetrics(registry, directory);
  registerStoreMetrics(registry, external);
  registerMachineTimeMetrics(registry, directory && traffic, options.costPerHour);
  registerBuildInfo(registry, options);
  registerProcessMetrics(registry, loop, () => external.openFiles);
  registerKeyTrafficMetrics(keyRegistry, keyTraffic, options.costPerHour);
  registerBudgetMetrics(keyRegistry, options);

  /** Values from other processes and the system are read first; all others while the page is rendered. */
  async function readExternalMetrics(): Promise<void> {
    const [engineMetrics, supervisor, volumeSpace, openFiles] = await Promise.all([
      engine.read(),
      options.getSupervisorStatus(),
      readVolume(),
      countOpenFiles(),
    ]);
    const store = options.readStore?.();
    Object.assign(external, { engine: engineMetrics, supervisor, store, volume: volumeSpace, openFiles });
  }
  const renderShared = cacheFor(PAGE_MAX_AGE, async () => {
    await readExternalMetrics();
    return `${await registry.metrics()}${external.engine.lines ?? ''}`;
  });
  const renderKeys = cacheFor(PAGE_MAX_AGE, () => keyRegistry.metrics());

  return {
    registry,
    keyRegistry,
    get workDone() {
      return sumWork(traffic, keyTraffic);
    },
    onRequestFinished: (event) => traffic.add(event),
    recordUsage: ({ keyId, usage }) => keyTraffic.add(keyId, usage),
    render: async (withKeys) => (withKeys ? (await renderKeys()) + (await renderShared()) : renderShared()),
    [Symbol.dispose]: () => loop[Symbol.dispose](),
  };
}

/** The last values from other processes and the system. */
interface ExternalMetrics {
  engine: EngineMetrics;
  supervisor: SupervisorStatus | undefined;
  store: StoreStatistics | undefined;
  volume: VolumeSpace | undefined;
  openFiles: number | undefined;
}

function registerExternalMetrics(registry: Registry, external: ExternalMetrics): void {
  registerValue(registry, backend.engineMetricsUp, () => Number(external.engine.lines !== undefined));
  registerValue(registry, endpointPicker.cacheInUse, () => external.engine.contextUsage);
  registerValue(registry, volume.free, () => external.volume?.free);
  registerValue(registry, volume.size, () => external.volume?.size);
  registerSamples(registry, systemMetrics.status, () =>
    external.supervisor ? statusSamples(external.supervisor.standing) : [],
  );
  registerValue(registry, systemMetrics.loadTime, () => {
    const ms = external.supervisor?.loadTimeMs;
    return ms == null ? undefined : ms / 1000;
  });
  registerSamples(registry, systemMetrics.restarts, () =>
    Object.entries(external.supervisor?.restarts ?? {}).map(([child, count]) => [{ child }, count] as const),
  );
  registerSamples(registry, systemMetrics.crashes, () =>
    Object.entries(external.supervisor?.crashes ?? {}).flatMap(([child, classes]) =>
      Object.entries(classes).map(([name, count]) => [{ child, class: name }, count] as const),
    ),
  );
}

function registerBuildInfo(registry: Registry, { backendMonitor }: MetricSources): void {
  const version = packageFile.version;
  const node = process.versions.node;
  registerSamples(registry, gatewayProcess.build, () => [
    [{ version, node, engine: backendMonitor.props?.buildInfo ?? '' }, 1],
  ]);
}

function sumWork(traffic: Traffic, keyTraffic: KeyTraffic): WorkDone {
  let [output, processed] = [0, 0];
  const models = new Map<string, WorkOfOne>();
  for (const operation of traffic.models) {
    const generated = operation.output.sum;
    const read = operation.input.sum - operation.cached;
    output += generated;
    processed += read + generated;
    const name = operation.labels.gen_ai_request_model;
    const known = models.get(name) ?? { output: 0, processed: 0, machineMs: 0 };
    models.set(name, {
      output: known.output + generated,
      processed: known.processed + read + generated,
      machineMs: known.machineMs + operation.machineMs,
    });
  }
  const keys = [...keyTraffic.all].map(({ labels, sums }) => {
    const { input, cached, machineMs } = sums;
    return [labels.key, { output: sums.output, processed: input - cached + sums.output, machineMs }] as const;
  });
  return { output, processed, keys: new Map(keys), models };
}

/**
 * Decides who may read `/metrics`. If `METRICS_AUTH_ENABLED` is unset, everyone may read all metrics except those by key,
 * as with llama-gguf-inference. A key that is presented must be valid: otherwise `/metrics` would be a place to guess keys.
 */
export function authorizeMetrics(authenticator: Authenticator, authEnabled: boolean | undefined) {
  const requireKey = guarded(authenticate(authenticator, 'metrics', 'admin'));
  return async function authorizeMetrics(c: GatewayContext, next: () => Promise<void>) {
    const hasNoKey = presentedSecrets(c.env.incoming.headers).length === 0;
    if (authEnabled === false || (authEnabled === undefined && hasNoKey)) return next();
    return requireKey(c, next);
  };
}

/** `GET /metrics`, in Prometheus' text format. */
export function handleMetrics(metrics: Pick<Metrics, 'render'>, authEnabled: boolean | undefined) {
  return async (c: GatewayContext) => {
    const showsKeys = authEnabled === false || c.get('request').key !== undefined;
    const page = await metrics.render(showsKeys);
    return c.body(page, 200, { 'content-type': Registry.PROMETHEUS_CONTENT_TYPE });
  };
}
