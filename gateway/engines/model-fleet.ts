import { EventEmitter, once } from 'node:events';
import type { EnginesMessage, ModelState } from '../../health/supervisor-messages.ts';
import type { Log } from '../../log/create-log.ts';
import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import type { AliasTarget, ModelRecord, Registry } from '../../models/registry.ts';
import type { GatewayConfig } from '../config.ts';
import type { SupervisorClient } from '../ipc/supervisor-client.ts';
import { findAdapter } from '../models/adapter-names.ts';
import { LaneAccounts } from '../scheduler/lane-accounts.ts';
import { AliasSet } from './alias-set.ts';
import type { AliasTargets, TargetHealth } from './alias-targets.ts';
import { DemandReporter, readDemand } from './demand-reporter.ts';
import { EngineServices, type EngineServicesOptions } from './engine-services.ts';
import type { CanaryRetry, ModelDirectory } from './model-directory.ts';
import { ModelServices } from './model-services.ts';
import { RemoteBackend } from './remote-backend.ts';
import { isCovered, stateElsewhere, type WantedEngine, wantedEngines } from './wanted-engines.ts';

export interface ModelFleetOptions {
  readonly config: GatewayConfig;
  readonly supervisor: SupervisorClient;
  readonly log: Log;
  /** Aborts when the gateway ends. */
  readonly stopped: AbortSignal;
  /** Called when an engine has become ready. */
  readonly onReady?: ((engine: EngineServices, model: ModelServices) => void) | undefined;
}

/** The engines of all models: created, changed and removed as the supervisor and `models.json` say. */
export class ModelFleet implements ModelDirectory, CanaryRetry, Disposable {
  readonly #options: ModelFleetOptions;
  /** Also those that were removed: requests that began before go on if they come back. */
  readonly #models = new Map<string, ModelServices>();
  readonly #accounts = new LaneAccounts();
  readonly #countingAccounts = new LaneAccounts();
  readonly #demand: DemandReporter;
  readonly #engines = new Map<string, EngineServices>();
  /** Engines that are no longer wanted, and still have requests. */
  readonly #retiring = new Set<EngineServices>();
  /** By engine, the version of the last state if that pauses it. */
  readonly #pausedAt = new Map<string, number>();
  readonly #aliases: AliasSet;
  readonly #changes = new EventEmitter<{ applied: [] }>().setMaxListeners(0);
  /** What `models.json` says now. */
  #latest: Registry = { models: [], aliases: [] };
  #registry: Registry = this.#latest;
  #message: EnginesMessage | undefined;
  #isDraining = false;

  constructor(options: ModelFleetOptions) {
    this.#options = options;
    this.#demand = new DemandReporter(
      () => readDemand(this.#models.values()),
      (demand) => options.supervisor.reportDemand(demand),
    );
    this.#aliases = new AliasSet({
      getHealth: (target) => this.#healthOf(target),
      onChange: (aliases) => options.supervisor.reportAliases(aliases),
      log: options.log,
    });
  }

  /** The models that have an engine. */
  get models(): readonly ModelServices[] {
    return [...this.#models.values()].filter(({ engines }) => engines.length > 0);
  }

  /** In use: one whose models are all known to the supervisor. */
  get registry(): Registry {
    return this.#registry;
  }

  /** The state of the models is known. */
  get isKnown(): boolean {
    return this.#message !== undefined || this.#options.config.metrics.healthUrl === undefined;
  }

  get aliases(): readonly AliasTargets[] {
    return this.#aliases.all;
  }

  /** Whether requests with this name, or without one, are for a model. */
  isNamed(name: string | undefined): boolean {
    return this.#registry.models.some((record) => this.isNameOf(name, { id: record.id, record }));
  }

  /** Whether a request with this name, or without one, is for the model, or may be. */
  isNameOf(name: string | undefined, { id, record }: Pick<ModelServices, 'id' | 'record'>): boolean {
    const { models } = this.#registry;
    if (name === undefined)
      return record.kind === 'chat' && models.filter(({ kind }) => kind === 'chat').length === 1;
    if (findAdapter(models, name)?.model === id) return true;
    return name === id || (this.alias(name)?.alias.targets.some(({ model }) => model === id) ?? false);
  }

  alias(name: string): AliasTargets | undefined {
    return this.#aliases.find(name);
  }

  retryCanaries(name: string, targets: readonly AliasTarget[]): void {
    this.#aliases.retry(name, targets);
  }

  /** Resolves when something has changed; rejects when the signal aborts. */
  async nextChange(signal: AbortSignal): Promise<void> {
    await once(this.#changes, 'applied', { signal });
  }

  /** Undefined if it is unknown, or has no engine. */
  find(id: string): ModelServices | undefined {
    const model = this.#models.get(id);
    return model === undefined || model.engines.length === 0 || model.state.removed ? undefined : model;
  }

  engine(id: string): EngineServices | undefined {
    return this.#engines.get(id);
  }

  /** `registry` is what `models.json` says now. */
  update(registry: Registry, message: EnginesMessage | undefined): void {
    this.#message = message;
    this.#latest = registry;
    try {
      this.#apply();
    } catch (error) {
      recordUnhandledError(error);
    }
  }

  drain(): void {
    this.#isDraining = true;
    for (const { gate } of this.#all) gate.drain();
  }

  close(): void {
    for (const { gate } of this.#all) gate.close('draining');
  }

  disconnect(): void {
    for (const engine of this.#all) engine.disconnect();
  }

  [Symbol.dispose](): void {
    this.#demand[Symbol.dispose]();
    for (const engine of this.#all) {
      engine.stopMonitoring();
      if (engine.backend instanceof RemoteBackend) engine.backend[Symbol.dispose]();
    }
  }

  get #all(): readonly EngineServices[] {
    return [...this.#engines.values(), ...this.#retiring];
  }

  #apply(): void {
    const message = this.#message;
    // Until the supervisor has reported all its models, or if it has rejected the registry, the one before stays in use.
    const registry = isCovered(this.#latest, message) ? this.#latest : this.#registry;
    const states = new Map(message?.models.map((state) => [state.id, state]));
    const wanted = new Set<string>();
    const setEngines = (model: ModelServices, engines: readonly WantedEngine[]) => {
      for (const engine of engines) {
        wanted.add(engine.id);
        this.#setEngine(model, engine, message?.version ?? 0);
      }
    };
    for (const record of registry.models) {
      const state = states.get(record.id) ?? stateElsewhere(record) ?? this.#stateOfAbsent(record.id);
      if (state === undefined) continue;
      // The supervisor may read the file later than we do: what is in it is not removed.
      const model = this.#setModel(record, { ...state, removed: false });
      const engines = wantedEngines(record, message);
      setEngines(model, engines);
      // Its requests wait at the engines of before.
      if (engines.length === 0) for (const id of this.#keepEngines(model)) wanted.add(id);
    }
    // A model that is not in the file any more: its engines finish what they have.
    for (const state of states.values()) {
      const model = this.#models.get(state.id);
      if (model === undefined || registry.models.some(({ id }) => id === state.id)) continue;
      this.#setModel(model.record, { ...state, removed: true });
      setEngines(model, wantedEngines(model.record, message));
    }
    if (registry !== this.#registry) {
      this.#registry = registry;
      this.#aliases.update(registry.aliases);
    }
    for (const id of [...this.#engines.keys()]) if (!wanted.has(id)) this.#retire(id);
    for (const model of this.#models.values()) this.#settle(model);
    this.#aliases.checkHealth();
    this.#reportDrained();
    this.#changes.emit('applied');
  }

  /** The model keeps the engines that it had, although no process is to be expected at their addresses. Returns their ids. */
  #keepEngines(model: ModelServices): readonly string[] {
    const kept = [...this.#engines].filter(([, engine]) => model.engines.includes(engine));
    for (const [, engine] of kept) setExpected(engine, false);
    return kept.map(([id]) => id);
  }

  /** The state of a model that the supervisor has known and does not know at the moment. */
  #stateOfAbsent(id: string): ModelState | undefined {
    const before = this.#models.get(id)?.state;
    return before && { ...before, status: 'unloaded', loadProgress: null, failure: null };
  }

  #healthOf(target: string): TargetHealth {
    const model = findAdapter(this.#registry.models, target)?.model ?? target;
    const { failure, crashes = 0 } = this.#models.get(model) ?? {};
    return { hasFailed: failure !== undefined, crashes };
  }

  #setModel(record: ModelRecord, state: ModelState): ModelServices {
    let model = this.#models.get(record.id);
    if (model === undefined) {
      model = new ModelServices(this.#options.config, record, state);
      this.#models.set(record.id, model);
    }
    model.state = state;
    if (model.record !== record) model.setRecord(record);
    return model;
  }

  #setEngine(model: ModelServices, wanted: WantedEngine, version: number): void {
    const engine = this.#engines.get(wanted.id) ?? this.#create(model, wanted);
    engine.maySleep = wanted.maySleep;
    // A new identity starts the warm-up, whose prompts name adapters by their place.
    engine.adapters = wanted.adapters ?? [];
    engine.setIdentity(wanted.identity);
    if (engine.backend instanceof RemoteBackend) engine.backend.setKeyFile(wanted.keyFile);
    setExpected(engine, wanted.isExpected);
    engine.supervisorReported();
    if (wanted.pause) {
      engine.gate.pause().then(this.#reportDrained).catch(recordUnhandledError);
      this.#pausedAt.set(wanted.id, version);
    } else if (this.#pausedAt.delete(wanted.id)) engine.resume().catch(recordUnhandledError);
  }

  #create(model: ModelServices, wanted: WantedEngine): EngineServices {
    const { config, supervisor, log: fleetLog, stopped } = this.#options;
    const { id, address, apiKey, keyFile, isElsewhere, maySleep } = wanted;
    const log = fleetLog.child({ engine: id });
    const onQueueChange = () => {
      model.balance();
      this.#demand.notify();
    };
    const onChange = () => {
      model.updateCapacities();
      onQueueChange();
      this.#aliases.checkHealth();
    };
    const options: EngineServicesOptions = {
      ...{ id, config, supervisor, stopped, maySleep, onChange },
      onReady: (engine) => this.#options.onReady?.(engine, model),
      openEngines: () => this.#all.filter(({ isOpen }) => isOpen).length,
      backend: isElsewhere ? new RemoteBackend(address, keyFile, log) : { address, apiKey },
      queue: {
        limits: model.limits,
        accounts: this.#accounts,
        batchSlots: config.admission.batchSlots,
        onChange: onQueueChange,
      },
      siblings: () => model.engines,
      countingAccounts: this.#countingAccounts,
      maxConcurrent: () => model.maxConcurrentOf(this.#engines.get(id)),
      suspects: model.suspects,
      log,
    };
    const engine = new EngineServices(options);
    if (engine.backend instanceof RemoteBackend) engine.backend.onKeyChange = () => engine.tryAgain();
    this.#engines.set(id, engine);
    model.add(engine);
    if (this.#isDraining) engine.gate.drain();
    return engine;
  }

  /** Its requests finish; those that wait go to another engine of the model. */
  #retire(id: string): void {
    const engine = this.#engines.get(id);
    if (engine === undefined) return;
    this.#engines.delete(id);
    this.#pausedAt.delete(id);
    this.#retiring.add(engine);
    for (const model of this.#models.values()) if (model.engines.includes(engine)) model.remove(engine);
    engine.gate.close('lost');
    engine.gate
      .pause()
      .then(() => {
        this.#retiring.delete(engine);
        engine.stopMonitoring();
        if (engine.backend instanceof RemoteBackend) engine.backend[Symbol.dispose]();
        engine.disconnect();
      })
      .catch(recordUnhandledError);
  }

  /** Requests for a model that has failed, or is removed, do not wait. */
  #settle(model: ModelServices): void {
    const isLost = model.failure !== undefined || (model.state.removed && model.state.status !== 'loaded');
    for (const { gate } of model.engines) {
      if (isLost) gate.close('lost');
      else gate.reopen();
    }
    if (model.engines.length === 0) model.state = { ...model.state, removed: true };
    model.balance();
  }

  #reportDrained = (): void => {
    for (const [id, version] of this.#pausedAt)
      if (this.#engines.get(id)?.leases === 0) this.#options.supervisor.reportDrained(id, version);
  };
}

function setExpected(engine: EngineServices, isExpected: boolean): void {
  if (engine.isExpected === isExpected) return;
  engine.isExpected = isExpected;
  engine.monitor.probeNow();
}
