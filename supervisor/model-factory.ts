import type { ModelRecord } from '../models/registry.ts';
import type { EngineConfig, SupervisorConfig } from './config.ts';
import type { EngineFactory } from './engine-factory.ts';
import { type OwnModel, replicaOptions } from './engine-options.ts';
import { ServedModel } from './served-model.ts';

/** Creates the models of a registry with their engines, none of them loaded. */
export class ModelFactory {
  readonly #config: SupervisorConfig;
  readonly #engines: EngineFactory;

  constructor(config: SupervisorConfig, engines: EngineFactory) {
    this.#config = config;
    this.#engines = engines;
  }

  /** `isFromStart`: it is in the registry when the deployment starts. */
  create(record: ModelRecord, isFromStart: boolean): ServedModel {
    const { id, source, replicas } = record;
    const count = source.kind === 'backends' ? 0 : replicas;
    const engines = Array.from({ length: count }, (_, replica) =>
      this.#engines.create(engineId(id, replica), id, this.configOf(record, replica)),
    );
    return new ServedModel({ id, engines, record, isFromStart });
  }

  /** The configuration of an engine of a model that we run ourselves. `replica` counts from 0. */
  configOf(record: ModelRecord, replica: number): EngineConfig {
    // The caller knows that it is no other kind.
    const own = record as OwnModel;
    return { ...this.#config, engine: replicaOptions(this.#config.settings, own, replica) };
  }
}

/** The id of the first engine is that of its model. No model id contains a `#`. */
const engineId = (model: string, replica: number) => (replica === 0 ? model : `${model}#${replica + 1}`);
