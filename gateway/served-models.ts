import type { Backend } from '../health/backend.ts';
import type { Log } from '../log/create-log.ts';
import { recordUnhandledError } from '../log/unhandled-errors.ts';
import type { ModelRecord, Registry } from '../models/registry.ts';
import { createRegistryStore } from '../models/registry-file.ts';
import type { GatewayConfig, RegistryPlace } from './config.ts';
import { EngineServices } from './engines/engine-services.ts';
import type { CanaryRetry, ModelDirectory } from './engines/model-directory.ts';
import { ModelFleet } from './engines/model-fleet.ts';
import { OnlyModel } from './engines/model-services.ts';
import { type EngineOverview, ModelsOverview } from './engines/models-overview.ts';
import type { SupervisorClient } from './ipc/supervisor-client.ts';
import { ModelNames, type PublicNames } from './models/model-names.ts';
import { type ModelRouting, routeToOnly } from './proxy/model-routing.ts';
import { SeveralModelsRouting } from './proxy/route-to-model.ts';

export interface ServeOptions {
  readonly config: GatewayConfig;
  readonly supervisor: SupervisorClient;
  readonly log: Log;
  /** Aborts when the gateway ends. */
  readonly stopped: AbortSignal;
}

/** The models that the gateway serves, with their engines. */
export interface ServedModels {
  readonly routing: ModelRouting;
  readonly names: PublicNames;
  readonly overview: EngineOverview;
  /** The only engine; undefined with several models. */
  readonly only: EngineServices | undefined;
  /** Undefined with one model. */
  readonly directory: (ModelDirectory & CanaryRetry) | undefined;
  /** Follows the supervisor from now on. */
  follow(): void;
  /** Rejects new requests. */
  drain(): void;
  /** Ends all requests. */
  abort(): void;
  close(): Promise<void>;
}

export function serveModels(options: ServeOptions): Promise<ServedModels> {
  const { registry, backend } = options.config;
  if (registry !== undefined) return serveSeveralModels(options, registry);
  if (backend === undefined) throw new Error('neither a backend nor a file of models is configured');
  return serveOneModel(options, backend);
}

async function serveOneModel(
  { config, supervisor, log, stopped }: ServeOptions,
  backend: Backend,
): Promise<ServedModels> {
  const engine = await EngineServices.create({
    ...{ config, supervisor, log, stopped, backend, maySleep: config.maySleep },
    queue: { limits: config.admission, batchSlots: config.admission.batchSlots },
    maxConcurrent: () => config.admission.maxConcurrent,
  });
  const { gate, monitor, router, quarantine } = engine;
  const names = new ModelNames({
    ...config.models,
    props: () => monitor.props,
    routerModels: () => (monitor.isRouter ? (router.served?.names ?? []) : undefined),
  });
  return {
    ...{ names, overview: engine, only: engine, directory: undefined },
    routing: routeToOnly(new OnlyModel(engine, config, (requested, key) => names.resolve(requested, key))),
    follow() {
      supervisor.subscribe({
        onEngineStoppedFromOutside: () => quarantine.ignoreCrash(),
        async onEngineState({ pause, modelNames, maySleep, hasFailed }) {
          names.setNames(modelNames);
          engine.maySleep = maySleep;
          if (hasFailed) gate.close('lost');
          await (pause ? gate.pause() : gate.resume());
        },
      });
    },
    drain: () => gate.drain(),
    abort() {
      gate.close('draining');
      engine.disconnect().catch(recordUnhandledError);
    },
    async close() {
      engine.stopMonitoring();
      await engine.disconnect();
    },
  };
}

async function serveSeveralModels(options: ServeOptions, place: RegistryPlace): Promise<ServedModels> {
  const { config, supervisor, log } = options;
  const fleet = new ModelFleet(options);
  const isSupervised = config.metrics.healthUrl !== undefined;
  const update = () =>
    fleet.update(isSupervised ? store.value.registry : elsewhere(store.value.registry), supervisor.engines);
  const store = createRegistryStore({
    ...place,
    onChange: () => update().catch(recordUnhandledError),
    // A supervisor says it as well.
    onError: (problem) => (isSupervised ? log.debug(problem) : log.error(problem)),
  });
  if (!isSupervised) warnOfOwnModels(store.value.registry, log);
  await update();
  return {
    ...{ overview: new ModelsOverview(() => fleet.models), only: undefined, directory: fleet },
    routing: new SeveralModelsRouting(fleet, config),
    names: {
      get public() {
        const { models, aliases } = fleet.registry;
        const listed = models.filter(({ listed }) => listed).map(({ id }) => id);
        return [...listed, ...aliases.map(({ name }) => name)];
      },
    },
    follow() {
      supervisor.subscribe({
        onEngineState: async () => {},
        onEngines: () => update().catch(recordUnhandledError),
        onEngineStoppedFromOutside(id) {
          if (id !== undefined) fleet.engine(id)?.quarantine.ignoreCrash();
        },
      });
    },
    drain: () => fleet.drain(),
    abort() {
      fleet.close();
      fleet.disconnect().catch(recordUnhandledError);
    },
    async close() {
      store.close();
      fleet[Symbol.dispose]();
      await fleet.disconnect();
    },
  };
}

const isElsewhere = ({ source }: ModelRecord) => source.kind === 'backends';

/** Without a supervisor, the other models do not run. */
const elsewhere = (registry: Registry): Registry => ({
  ...registry,
  models: registry.models.filter(isElsewhere),
});

function warnOfOwnModels({ models }: Registry, log: Log): void {
  const own = models.filter((model) => !isElsewhere(model)).map(({ id }) => id);
  if (own.length > 0)
    log.warn(
      { models: own.join(', ') },
      'models without "backends" are not served: this gateway runs no engines; use "corral serve" for them',
    );
}
