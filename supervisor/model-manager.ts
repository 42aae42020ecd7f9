import type { DemandMessage, ModelAction, ModelRequestOutcome } from '../health/supervisor-messages.ts';
import type { Log } from '../log/create-log.ts';
import { splitWords } from '../models/extra-arguments.ts';
import type { ModelRecord, ModelSource } from '../models/registry.ts';
import type { ConfiguredModels, EngineConfig, SupervisorConfig } from './config.ts';
import type { Engine } from './engine.ts';
import type { EngineFactory } from './engine-factory.ts';
import { replicaOptions } from './engine-options.ts';
import type { EngineFailure, FatalCrash } from './events.ts';
import { ServedModel } from './served-model.ts';

export interface ModelManagerOptions {
  readonly config: SupervisorConfig;
  readonly models: ConfiguredModels;
  readonly factory: EngineFactory;
  readonly log: Log;
  readonly onChange: () => void;
}

/** Decides which models are loaded. */
export class ModelManager {
  readonly #options: ModelManagerOptions;
  #models: readonly ServedModel[] = [];
  #demand: DemandMessage = { kind: 'demand', models: {}, leases: {} };

  constructor(options: ModelManagerOptions) {
    this.#options = options;
    this.#models = options.models.registry.models.map((record) => this.#create(record));
  }

  get models(): readonly ServedModel[] {
    return this.#models;
  }

  get budget(): number | undefined {
    return undefined;
  }

  memoryOf(_model: string): number | undefined {
    return undefined;
  }

  start(): void {
    for (const model of this.#models) if (model.pin) model.load();
  }

  onDemand(demand: DemandMessage): void {
    this.#demand = demand;
  }

  onGatewayLost(): void {
    this.#demand = { kind: 'demand', models: {}, leases: {} };
  }

  onReady(_engine: Engine): void {}

  onFailed(_engine: Engine, _failure: EngineFailure, _crash?: FatalCrash): boolean {
    return this.#demand === undefined;
  }

  request(_model: string, _action: ModelAction): ModelRequestOutcome {
    return { outcome: 'unknown-model' };
  }

  close(): void {}

  #create(record: ModelRecord): ServedModel {
    const { factory } = this.#options;
    const { source } = record;
    const engines =
      source.kind === 'backends'
        ? []
        : Array.from({ length: record.replicas }, (_, n) =>
            factory.create(
              n === 0 ? record.id : `${record.id}#${n + 1}`,
              record.id,
              this.#configOf({ ...record, source }, n),
            ),
          );
    return new ServedModel({ id: record.id, engines, record, isFromStart: true });
  }

  #configOf(record: ModelRecord & { readonly source: ModelSource }, replica: number): EngineConfig {
    const { config } = this.#options;
    const extraArgs = splitWords(config.settings.EXTRA_ARGS ?? '') ?? [];
    return { ...config, engine: replicaOptions(config.settings, record, extraArgs, replica) };
  }
}
