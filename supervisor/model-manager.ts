import type { DemandMessage, ModelAction, ModelRequestOutcome } from '../health/supervisor-messages.ts';
import type { Log } from '../log/create-log.ts';
import { recordUnhandledError } from '../log/unhandled-errors.ts';
import type { Registry } from '../models/registry.ts';
import { createRegistryStore, type RegistryStore } from '../models/registry-file.ts';
import { applyRegistry } from './apply-registry.ts';
import type { ConfiguredModels, SupervisorConfig } from './config.ts';
import { failureMessage } from './crash-messages.ts';
import { isOutOfMemory } from './engine/crash-class.ts';
import { type LoadedTogether, loadedTogether } from './engine/loaded-together.ts';
import type { Engine } from './engine.ts';
import { measureMemory } from './engine-memory.ts';
import type { EngineFailure, FatalCrash } from './events.ts';
import { requestAction } from './model-actions.ts';
import { PastCounts } from './model-counts.ts';
import type { ModelFactory } from './model-factory.ts';
import { ModelMemory } from './model-memory.ts';
import type { MemoryReport } from './models-details.ts';
import { modelsFolder } from './models-file.ts';
import { placedModel } from './placed-model.ts';
import { needAfterMemoryFailure, type PlacementStep, place } from './placement.ts';
import type { ServedModel } from './served-model.ts';

export interface ModelManagerOptions {
  readonly config: SupervisorConfig;
  readonly models: ConfiguredModels;
  readonly factory: ModelFactory;
  readonly log: Log;
  /** The state of the models may have changed. */
  readonly onChange: () => void;
}

/** The placement is asked again at the time that it names, within these bounds. */
const minIntervalMs = 10;
const maxIntervalMs = 60_000;
/** How often the files of models that could not be loaded are looked at. */
const fileIntervalMs = 1000;

const noDemand: DemandMessage = { kind: 'demand', models: {}, leases: {} };

/** Owns the models of the registry, and performs what the placement decides: which of them are loaded. */
export class ModelManager implements MemoryReport {
  readonly past = new PastCounts();
  readonly #options: ModelManagerOptions;
  #models: readonly ServedModel[];
  #registry: Registry;
  readonly #memory: ModelMemory;
  #store: RegistryStore | undefined;
  /** What the gateway has reported last, and when. It reports only changes, also of models that we do not know yet. */
  #demand: DemandMessage = noDemand;
  #demandAt = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #fileTimer: NodeJS.Timeout | undefined;
  #isUpdating = false;
  #isClosed = false;

  constructor(options: ModelManagerOptions) {
    const { config, models, factory } = options;
    this.#options = options;
    this.#registry = models.registry;
    this.#memory = new ModelMemory(config, models.budget);
    this.#models = models.registry.models.map((record) => factory.create(record, true));
  }

  get models(): readonly ServedModel[] {
    return this.#models;
  }

  /** Loads the pinned models, and follows the registry from now on. */
  start(): void {
    const { config, models, log } = this.#options;
    this.#store = createRegistryStore({
      file: models.file,
      modelsDir: modelsFolder(config.settings, config.dataDir),
      check: (registry) => this.#memory.problemsOf(registry),
      onChange: (registry) => {
        log.info({ models: registry.models.length }, 'models.json reloaded');
        this.#registry = registry;
        for (const model of this.#models) model.misfit = undefined;
        this.update();
      },
      onError: (problem) => log.error(`${problem}; the models loaded before stay in use`),
      onRecovered: (message) => log.info(message),
    });
    // The file may have changed since the preflight.
    const { problem, value } = this.#store;
    if (problem === undefined && value.text !== undefined) this.#registry = value.registry;
    this.#fileTimer = setInterval(() => this.#retryChangedFiles(), fileIntervalMs).unref();
    this.update();
  }

  async reload(): Promise<void> {
    await this.#store?.reload();
  }

  onDemand(demand: DemandMessage): void {
    this.#demand = demand;
    this.#demandAt = performance.now();
    this.#recordDemand(this.#models);
    this.update();
  }

  /** Its requests have ended with it. */
  onGatewayLost(): void {
    this.onDemand(noDemand);
  }

  onReady(engine: Engine): void {
    const model = this.#modelOf(engine);
    if (model === undefined) return;
    model.isSecondAttempt = false;
    model.missedBytes = undefined;
    model.loadedAt = performance.now();
    if (model.record) model.rejectedFiles.onReady(model.record);
    model.usage.loaded(model.loadedAt);
    this.#measure(model).catch(recordUnhandledError);
  }

  /** False if no model is left that could serve: the deployment cannot continue. */
  onFailed(engine: Engine, failure: EngineFailure, crash?: FatalCrash): boolean {
    const { log } = this.#options;
    const model = this.#modelOf(engine);
    engine.stop().catch(recordUnhandledError);
    if (model?.record && crash?.crash === 'bad-model') model.rejectedFiles.onRejected(model.record);
    if (model && crash && isOutOfMemory(crash.crash) && this.#makeRoom(model)) {
      engine.forgetFailure();
      log.warn({ model: model.id }, 'not enough memory to load the model: freeing more for a second attempt');
    } else
      log.error({ model: engine.model, engine: engine.id }, failureMessage(failure, crash, engine.model));
    this.update();
    return this.#models.some((it) => it.backendStatus !== 'failed');
  }

  request(id: string, action: ModelAction): ModelRequestOutcome {
    const model = this.#models.find((it) => it.id === id && !it.isGone);
    if (model === undefined) return { outcome: 'unknown-model' };
    const outcome = requestAction(model, action);
    this.update();
    return outcome;
  }

  /** Something has changed: decides again, once the caller is done. */
  update(): void {
    if (this.#isUpdating || this.#isClosed) return;
    this.#isUpdating = true;
    queueMicrotask(() => {
      this.#isUpdating = false;
      if (this.#isClosed) return;
      const before = this.#models;
      this.#models = applyRegistry(before, this.#registry, this.#options.factory);
      for (const model of this.#models) model.meta = model.record && this.#memory.metaOf(model.record);
      for (const model of before) if (!this.#models.includes(model)) this.past.keep(model);
      this.#recordDemand(this.#models.filter((model) => !before.includes(model)));
      this.#place();
      this.#options.onChange();
    });
  }

  get budget(): number {
    return this.#memory.budget.bytes;
  }

  /** The most that can be loaded at the same time. */
  get loadedTogether(): LoadedTogether {
    const sizes = this.#models.map((model) => ({
      engines: model.engines.length,
      bytes: this.#memory.needOf(model),
    }));
    return loadedTogether(sizes, this.#memory.budget);
  }

  memoryOf(id: string): number | undefined {
    const model = this.#models.find((it) => it.id === id);
    return model && this.#memory.needOf(model);
  }

  close(): void {
    this.#isClosed = true;
    this.#store?.close();
    clearTimeout(this.#timer);
    clearInterval(this.#fileTimer);
  }

  #modelOf(engine: Engine): ServedModel | undefined {
    return this.#models.find(({ engines }) => engines.includes(engine));
  }

  /** A model whose files were missing or damaged can be loaded again once they have changed. */
  #retryChangedFiles(): void {
    for (const model of this.#models) {
      if (model.failure !== 'bad-model' || !model.record) continue;
      if (!model.rejectedFiles.haveChanged(model.record)) continue;
      this.#options.log.info(
        { model: model.id },
        'the files of a model that could not be loaded have changed',
      );
      model.forgetFailure();
      this.update();
    }
  }

  #recordDemand(of: readonly ServedModel[]): void {
    const { models, leases } = this.#demand;
    for (const { id, engines, usage } of of) {
      const total = engines.reduce((sum, engine) => sum + (leases[engine.id] ?? 0), 0);
      usage.record(total, models[id], this.#demandAt);
    }
  }

  /** Performs one step after the other, until there is nothing to do. */
  #place(): void {
    // A model takes part in two steps at most. More would mean that one has no effect.
    for (let left = 2 * this.#models.length; left >= 0; left--) {
      const now = performance.now();
      const step = place({
        models: this.#models
          .filter((model) => !model.isElsewhere)
          .map((model) => placedModel(model, this.#memory.needOf(model), now)),
        budget: this.#memory.budget.bytes,
        hold: this.#options.config.settings.MODEL_HOLD,
        now,
      });
      if (step.kind === 'nothing') {
        this.#askAgainAt(step.askAgainAt);
        return;
      }
      this.#perform(step, now);
    }
    this.#askAgainAt(performance.now() + maxIntervalMs);
  }

  #perform(step: Exclude<PlacementStep, { kind: 'nothing' }>, now: number): void {
    const model = this.#models.find(({ id }) => id === step.model);
    if (model === undefined) return;
    const { log } = this.#options;
    switch (step.kind) {
      case 'load':
        this.#beginSwitch(model, now);
        model.isSwitchBegun = false;
        log.info({ model: model.id, bytes: this.#memory.needOf(model) }, 'loading model');
        model.load();
        break;
      case 'resume':
        model.resume();
        break;
      case 'fail':
        model.misfit = this.#memory.describeMisfit(step);
        model.usage.withdrawRequest();
        log.error({ model: model.id }, model.misfit);
        break;
      default: {
        const next = this.#models.find(({ id }) => id === step.for);
        if (next) this.#beginSwitch(next, now);
        log.info({ model: model.id, for: step.for }, 'unloading model');
        model.unload();
      }
    }
  }

  #beginSwitch(model: ServedModel, now: number): void {
    if (model.isSwitchBegun) return;
    model.isSwitchBegun = true;
    model.switchedAt = now;
  }

  #askAgainAt(at: number | undefined): void {
    clearTimeout(this.#timer);
    if (at === undefined) return;
    const inMs = Math.min(Math.max(at - performance.now(), minIntervalMs), maxIntervalMs);
    this.#timer = setTimeout(() => this.update(), inMs);
  }

  /** False if nothing could be unloaded for another attempt, this was it, or another replica is loaded. */
  #makeRoom(model: ServedModel): boolean {
    const others = this.#models.filter((it) => it !== model && it.isResident);
    const areAllPinned = others.every(({ pin, isRemoved }) => pin && !isRemoved);
    if (model.isSecondAttempt || areAllPinned || model.engines.some(isServing)) return false;
    const taken = others.reduce((sum, other) => sum + this.#memory.needOf(other), 0);
    model.missedBytes = needAfterMemoryFailure(this.#memory.needOf(model), this.#memory.budget.bytes - taken);
    model.isSecondAttempt = true;
    model.usage.request(performance.now());
    return true;
  }

  async #measure(model: ServedModel): Promise<void> {
    const pids = model.engines.flatMap(({ process }) => process?.child?.pid ?? []);
    const { NVIDIA_SMI } = this.#options.config.settings;
    const { memory } = this.#memory.budget;
    const sizes = await Promise.all(pids.map((pid) => measureMemory(pid, memory, NVIDIA_SMI)));
    const known = sizes.filter((bytes) => bytes !== undefined);
    if (known.length === model.engines.length) model.measuredBytes = known.reduce((a, b) => a + b, 0);
    this.update();
  }
}

const isServing = ({ status }: Engine) => status === 'loaded' || status === 'sleeping';
