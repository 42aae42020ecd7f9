import { EventEmitter, once } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import { parseBackendUrl } from '../../health/backend.ts';
import type {
  AliasState,
  EngineState,
  EnginesMessage,
  ModelState,
} from '../../health/supervisor-messages.ts';
import type { Log } from '../../log/create-log.ts';
import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import type { Alias, AliasTarget, ModelRecord, Registry } from '../../models/registry.ts';
import type { GatewayConfig } from '../config.ts';
import type { SupervisorClient } from '../ipc/supervisor-client.ts';
import { LaneAccounts } from '../scheduler/lane-accounts.ts';
import { AliasTargets, type TargetHealth } from './alias-targets.ts';
import { DemandReporter, readDemand } from './demand-reporter.ts';
import { EngineServices, type EngineServicesOptions } from './engine-services.ts';
import type { CanaryRetry, ModelDirectory } from './model-directory.ts';
import { ModelServices } from './model-services.ts';
import { viewAlias } from './model-views.ts';
import { RemoteBackend } from './remote-backend.ts';

export interface ModelFleetOptions {
  readonly config: GatewayConfig;
  readonly supervisor: SupervisorClient;
  readonly log: Log;
  /** Aborts when the gateway ends. */
  readonly stopped: AbortSignal;
}

type Wanted = Pick<EngineState, 'id' | 'address' | 'pause' | 'maySleep'> & {
  /** From the supervisor. */
  readonly apiKey?: string | undefined;
  /** Of a backend elsewhere. */
  readonly keyFile?: string | undefined;
  readonly isElsewhere: boolean;
  readonly isExpected: boolean;
};

/** The engines of all models: created, changed and removed as the supervisor and `models.json` say. */
export class ModelFleet implements ModelDirectory, CanaryRetry, Disposable {
  readonly #options: ModelFleetOptions;
  /** Also those that were removed: requests that began before go on if they come back. */
  readonly #models = new Map<string, ModelServices>();
  readonly #accounts = new LaneAccounts();
  readonly #countingAccounts = new LaneAccounts();
  readonly #demand: DemandReporter;
  readonly #engines = new Map<string, EngineServices>();
  /** Those that are no longer wanted, and still have requests. */
  readonly #retiring = new Set<EngineServices>();
  /** By engine, the version of the last state if that pauses it. */
  readonly #pausedAt = new Map<string, number>();
  readonly #changes = new EventEmitter<{ applied: [] }>().setMaxListeners(0);
  /** What `models.json` says now. */
  #latest: Registry = { models: [], aliases: [] };
  #registry: Registry = this.#latest;
  #aliases: ReadonlyMap<string, AliasTargets> = new Map();
  #reportedAliases: readonly AliasState[] = [];
  #message: EnginesMessage | undefined;
  #updating: Promise<void> = Promise.resolve();
  #isDraining = false;

  constructor(options: ModelFleetOptions) {
    this.#options = options;
    this.#demand = new DemandReporter(
      () => readDemand(this.#models.values()),
      (demand) => options.supervisor.reportDemand(demand),
    );
  }

  /** Those that have an engine. */
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
    return [...this.#aliases.values()];
  }

  alias(name: string): AliasTargets | undefined {
    return this.#aliases.get(name);
  }

  retryCanaries(name: string, targets: readonly AliasTarget[]): void {
    const alias = this.#aliases.get(name);
    if (!isDeepStrictEqual(alias?.alias.targets, targets)) return;
    alias?.retry();
    this.#checkAliases();
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
  update(registry: Registry, message: EnginesMessage | undefined): Promise<void> {
    this.#message = message;
    this.#latest = registry;
    // One after the other, as an engine elsewhere takes a moment to be created.
    this.#updating = this.#updating.then(() => this.#apply()).catch(recordUnhandledError);
    return this.#updating;
  }

  drain(): void {
    this.#isDraining = true;
    for (const { gate } of this.#all) gate.drain();
  }

  close(): void {
    for (const { gate } of this.#all) gate.close('draining');
  }

  async disconnect(): Promise<void> {
    await Promise.all(this.#all.map((engine) => engine.disconnect()));
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

  async #apply(): Promise<void> {
    const message = this.#message;
    const registry = isCovered(this.#latest, message) ? this.#latest : this.#registry;
    const states = new Map(message?.models.map((state) => [state.id, state]));
    const wanted = new Set<string>();
    const setEngines = async (model: ModelServices, engines: readonly Wanted[]) => {
      for (const engine of engines) {
        wanted.add(engine.id);
        await this.#setEngine(model, engine, message?.version ?? 0);
      }
    };
    for (const record of registry.models) {
      const state = states.get(record.id) ?? stateElsewhere(record) ?? this.#stateOfAbsent(record.id);
      if (state === undefined) continue;
      // The supervisor may read the file later than we do: what is in it is not removed.
      const model = this.#setModel(record, { ...state, removed: false });
      const engines = wantedFor(record, message);
      await setEngines(model, engines);
      // Its requests wait at the engines of before.
      if (engines.length === 0) for (const id of this.#keepEngines(model)) wanted.add(id);
    }
    // A model that is not in the file any more: its engines finish what they have.
    for (const state of states.values()) {
      const model = this.#models.get(state.id);
      if (model === undefined || registry.models.some(({ id }) => id === state.id)) continue;
      this.#setModel(model.record, { ...state, removed: true });
      await setEngines(model, wantedFor(model.record, message));
    }
    this.#setRegistry(registry);
    for (const id of [...this.#engines.keys()]) if (!wanted.has(id)) this.#retire(id);
    for (const model of this.#models.values()) this.#settle(model);
    this.#checkAliases();
    this.#reportDrained();
    this.#changes.emit('applied');
  }

  /** Those of before, of which none is to be expected at its address. */
  #keepEngines(model: ModelServices): readonly string[] {
    const kept = [...this.#engines].filter(([, engine]) => model.engines.includes(engine));
    for (const [, engine] of kept) setExpected(engine, false);
    return kept.map(([id]) => id);
  }

  /** Of a model that the supervisor does not know at the moment, but has known. */
  #stateOfAbsent(id: string): ModelState | undefined {
    const before = this.#models.get(id)?.state;
    return before && { ...before, status: 'unloaded', loadProgress: null, failure: null };
  }

  #setRegistry(registry: Registry): void {
    if (registry === this.#registry) return;
    this.#registry = registry;
    const getHealth = (id: string): TargetHealth => {
      const { failure, crashes = 0 } = this.#models.get(id) ?? {};
      return { hasFailed: failure !== undefined, crashes };
    };
    const create = (alias: Alias) => {
      const before = this.#aliases.get(alias.name);
      const isSame = isDeepStrictEqual(before?.alias.targets, alias.targets);
      return before && isSame ? before : new AliasTargets(alias, getHealth, this.#options.log, before);
    };
    this.#aliases = new Map(registry.aliases.map((alias) => [alias.name, create(alias)]));
  }

  #checkAliases(): void {
    for (const alias of this.#aliases.values()) alias.checkHealth();
    const aliases = this.aliases.map(viewAlias);
    if (isDeepStrictEqual(aliases, this.#reportedAliases)) return;
    this.#reportedAliases = aliases;
    this.#options.supervisor.reportAliases(aliases);
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

  async #setEngine(model: ModelServices, wanted: Wanted, version: number): Promise<void> {
    const engine = this.#engines.get(wanted.id) ?? (await this.#create(model, wanted));
    engine.maySleep = wanted.maySleep;
    if (engine.backend instanceof RemoteBackend) engine.backend.setKeyFile(wanted.keyFile);
    setExpected(engine, wanted.isExpected);
    if (wanted.pause) {
      engine.gate.pause().then(this.#reportDrained).catch(recordUnhandledError);
      this.#pausedAt.set(wanted.id, version);
    } else if (this.#pausedAt.delete(wanted.id)) engine.resume().catch(recordUnhandledError);
  }

  async #create(model: ModelServices, wanted: Wanted): Promise<EngineServices> {
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
      this.#checkAliases();
    };
    const options: EngineServicesOptions = {
      ...{ id, config, supervisor, stopped, maySleep, onChange },
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
    const engine = await EngineServices.create(options);
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
        return engine.disconnect();
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

/** Until the supervisor has reported all its models, or if it has rejected it, the registry before stays in use. */
function isCovered({ models }: Registry, message: EnginesMessage | undefined): boolean {
  if (message === undefined) return true;
  const known = new Set(message.models.flatMap(({ id, removed }) => (removed ? [] : [id])));
  return models.every(({ id, source }) => source.kind === 'backends' || known.has(id));
}

/** Without a supervisor there are only models that others run. */
function stateElsewhere({ id, source }: ModelRecord): ModelState | undefined {
  if (source.kind !== 'backends') return undefined;
  return { id, status: 'loaded', loadProgress: null, failure: null, pin: true, removed: false };
}

function wantedFor(
  { id: model, source }: ModelRecord,
  message: EnginesMessage | undefined,
): readonly Wanted[] {
  if (source.kind !== 'backends') {
    const own = message?.engines.filter((engine) => engine.model === model) ?? [];
    return own.map((engine) => ({
      ...engine,
      isElsewhere: false,
      isExpected: engine.status !== 'unloaded',
    }));
  }
  return source.backends.map(({ url, keyFile }) => ({
    ...{ id: `${model} ${url}`, address: parseBackendUrl(url), keyFile },
    ...{ pause: false, maySleep: true, isElsewhere: true, isExpected: true },
  }));
}

function setExpected(engine: EngineServices, isExpected: boolean): void {
  if (engine.isExpected === isExpected) return;
  engine.isExpected = isExpected;
  engine.monitor.probeNow();
}
