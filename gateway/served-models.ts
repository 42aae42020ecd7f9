import type { Backend } from '../health/backend.ts';
import type { Log } from '../log/create-log.ts';
import type { GatewayConfig } from './config.ts';
import { EngineServices } from './engines/engine-services.ts';
import type { CanaryRetry, ModelDirectory } from './engines/model-directory.ts';
import type { EngineOverview } from './engines/models-overview.ts';
import { OnlyModel } from './engines/only-model.ts';
import type { SupervisorClient } from './ipc/supervisor-client.ts';
import { ModelNames, type PublicNames } from './models/model-names.ts';
import { type ModelRouting, routeToOnly } from './proxy/model-routing.ts';
import type { WarmUp } from './warm-up/warm-up.ts';

export interface ServeOptions {
  readonly config: GatewayConfig;
  readonly supervisor: SupervisorClient;
  readonly log: Log;
  /** Aborts when the gateway ends. */
  readonly stopped: AbortSignal;
  /** Undefined unless prompts are read in advance. */
  readonly warmUp: WarmUp | undefined;
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
  close(): void;
}

/** Serves the model of the only engine. */
export function serveOneModel(
  { config, supervisor, log, stopped, warmUp }: ServeOptions,
  backend: Backend,
): ServedModels {
  const engine = new EngineServices({
    ...{ config, supervisor, log, stopped, backend, maySleep: config.maySleep },
    queue: { limits: config.admission, batchSlots: config.admission.batchSlots },
    maxConcurrent: () => config.admission.maxConcurrent,
    onReady(ready) {
      warmUp?.onModels(names.isServed);
      warmUp?.onReady(ready, { isFor: names.isServed, defaults: {} });
    },
  });
  const { gate, monitor, router, quarantine } = engine;
  engine.adapters = config.models.adapters;
  const names = new ModelNames({
    ...config.models,
    props: () => monitor.props,
    routerModels: () => (monitor.isRouter ? (router.served?.names ?? []) : undefined),
  });
  return {
    ...{ names, overview: engine, only: engine, directory: undefined },
    routing: routeToOnly(
      new OnlyModel(engine, config, {
        getName: (requested, key) => names.resolve(requested, key),
        getAdapter: (name) => names.adapterOf(name),
      }),
    ),
    follow() {
      supervisor.subscribe({
        onEngineStoppedFromOutside: () => quarantine.ignoreCrash(),
        onEngines({ engines: [only] }) {
          engine.setIdentity(only?.identity);
          engine.supervisorReported();
        },
        async onEngineState({ pause, modelNames, adapters = [], maySleep, hasFailed }) {
          names.setNames(modelNames, adapters);
          engine.adapters = adapters;
          engine.maySleep = maySleep;
          if (hasFailed) gate.close('lost');
          await (pause ? gate.pause() : gate.resume());
        },
      });
    },
    drain: () => gate.drain(),
    abort() {
      gate.close('draining');
      engine.disconnect();
    },
    close() {
      engine.stopMonitoring();
      engine.disconnect();
    },
  };
}
