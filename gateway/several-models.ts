import type { Log } from '../log/create-log.ts';
import type { ModelRecord, Registry } from '../models/registry.ts';
import { createRegistryStore } from '../models/registry-file.ts';
import type { RegistryPlace } from './config.ts';
import { ModelFleet } from './engines/model-fleet.ts';
import type { ModelServices } from './engines/model-services.ts';
import { ModelsOverview } from './engines/models-overview.ts';
import { adapterId } from './models/adapter-names.ts';
import { SeveralModelsRouting } from './proxy/route-to-model.ts';
import type { ServedModels, ServeOptions } from './served-models.ts';
import type { WarmModel } from './warm-up/warm-up.ts';

/** Serves the models of a file, which may change at any time. */
export function serveSeveralModels(options: ServeOptions, place: RegistryPlace): ServedModels {
  const { config, supervisor, log } = options;
  const { warmUp } = options;
  const fleet = new ModelFleet({
    ...options,
    onReady: warmUp && ((engine, model) => warmUp.onReady(engine, toWarmModel(fleet, model))),
  });
  const isSupervised = config.metrics.healthUrl !== undefined;
  const update = () => {
    fleet.update(isSupervised ? store.value.registry : elsewhere(store.value.registry), supervisor.engines);
    // None is known until the supervisor has reported.
    if (fleet.registry.models.length > 0) warmUp?.onModels((name) => fleet.isNamed(name));
  };
  const store = createRegistryStore({
    ...place,
    onChange: () => update(),
    // A supervisor says it as well.
    onError: (problem) => (isSupervised ? log.debug(problem) : log.error(problem)),
    onRecovered: (message) => (isSupervised ? log.debug(message) : log.info(message)),
  });
  if (!isSupervised) warnOfOwnModels(store.value.registry, log);
  update();
  return {
    ...{ overview: new ModelsOverview(() => fleet.models), only: undefined, directory: fleet },
    routing: new SeveralModelsRouting(fleet, config),
    names: {
      get public() {
        const { models, aliases } = fleet.registry;
        const listed = models.filter(({ listed }) => listed).flatMap(publicIds);
        return [...listed, ...aliases.map(({ name }) => name)];
      },
    },
    follow() {
      supervisor.subscribe({
        onEngineState: async () => {},
        onEngines: () => update(),
        onEngineStoppedFromOutside(id) {
          if (id !== undefined) fleet.engine(id)?.quarantine.ignoreCrash();
        },
      });
    },
    drain: () => fleet.drain(),
    abort() {
      fleet.close();
      fleet.disconnect();
    },
    close() {
      store.close();
      fleet[Symbol.dispose]();
      fleet.disconnect();
    },
  };
}

const toWarmModel = (fleet: ModelFleet, model: ModelServices): WarmModel => ({
  isFor: (name) => fleet.isNameOf(name, model),
  defaults: model.record.defaults,
});

const publicIds = ({ id, adapters }: ModelRecord) => [id, ...adapters.map(({ name }) => adapterId(id, name))];

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
