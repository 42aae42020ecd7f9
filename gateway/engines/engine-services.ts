import { randomUUID } from 'node:crypto';
import type { Backend } from '../../health/backend.ts';
import { type BackendMonitor, monitorBackend } from '../../health/backend-monitor.ts';
import type { Log } from '../../log/create-log.ts';
import type { GatewayConfig } from '../config.ts';
import type { SupervisorClient } from '../ipc/supervisor-client.ts';
import { ModelMetaCache } from '../models/model-list.ts';
import { RouterModels } from '../models/router-models.ts';
import { PrefillProbe } from '../resume/prefill-probe.ts';
import { CapacityGate } from '../scheduler/capacity-gate.ts';
import { createCountingScheduler } from '../scheduler/counting-scheduler.ts';
import type { LaneAccounts } from '../scheduler/lane-accounts.ts';
import { createQuarantine, type Quarantine, type SuspectBodies } from '../scheduler/quarantine.ts';
import { Scheduler, type SchedulerOptions } from '../scheduler/scheduler.ts';
import { BackendPool } from '../upstream/backend-pool.ts';
import { ShuttingDown } from '../upstream/failure.ts';
import { createSlotTracker, type SlotTracker } from '../upstream/slot-tracker.ts';
import { AdapterTurns } from './adapter-turns.ts';
import { AbandonedInputCounter, type CountingContext } from './count-tokens.ts';
import { RemoteBackend } from './remote-backend.ts';

export interface EngineServicesOptions {
  /** As the supervisor names it; undefined for the only engine. */
  readonly id?: string;
  readonly backend: Backend;
  readonly config: GatewayConfig;
  readonly queue: SchedulerOptions;
  /** All engines of the model, which share the limits of its queue; undefined with one model. */
  readonly siblings?: () => readonly EngineServices[];
  /** What lanes have of counts at all engines. */
  readonly countingAccounts?: LaneAccounts;
  /** Shared with the other engines of the model. */
  readonly suspects?: SuspectBodies;
  /** Instead of the slots of the backend. */
  readonly maxConcurrent: () => number | undefined;
  /** Whether the engine may be found sleeping. */
  readonly maySleep: boolean;
  readonly supervisor: SupervisorClient;
  readonly log: Log;
  /** Aborts when the gateway ends. */
  readonly stopped: AbortSignal;
  /** How many engines share the machine now; undefined with one. */
  readonly openEngines?: () => number;
  /** Called when its status or its capacity may have changed. */
  readonly onChange?: () => void;
  /** Called when it has become ready, and when another process has taken its place. */
  readonly onReady?: ((engine: EngineServices) => void) | undefined;
}

/** Twice the time between two probes of an engine that is ready. */
const RESUME_GRACE_MS = 2000;
/** How long an engine that rejects our key gets no requests. */
const AVOIDED_MS = 10_000;

/** What belongs to one engine: its connections, its status, its slots and the line that waits for them. */
export class EngineServices {
  readonly id: string | undefined;
  readonly backend: Backend;
  pool: BackendPool;
  readonly monitor: BackendMonitor;
  readonly router: RouterModels;
  readonly scheduler: Scheduler;
  /** For requests that need no slot. */
  readonly countingScheduler: Scheduler;
  readonly gate: CapacityGate;
  readonly quarantine: Quarantine;
  readonly slotTracker: SlotTracker;
  readonly prefillProbe: PrefillProbe;
  readonly modelMeta: ModelMetaCache;
  readonly counting: CountingContext;
  readonly abandonedInput: AbandonedInputCounter;
  maySleep: boolean;
  #adapters: readonly string[] = [];
  /** Undefined without adapters. */
  adapterTurns: AdapterTurns | undefined;
  /** Whether a process is to be expected at the address. */
  isExpected = true;
  /** How often it became unavailable although it was to serve. */
  crashes = 0;
  /** What the supervisor says of the identity of its answers; null while there is no process. Undefined without a supervisor. */
  #reportedIdentity: string | null | undefined = undefined;
  /** The same without a supervisor: since it became ready, and as long as it looks the same. */
  #ownIdentity = '';
  readonly #onReady: EngineServicesOptions['onReady'];
  #wasReady = false;
  /** The supervisor has found it ready since it became ready. */
  #isConfirmed = false;
  #avoidedUntil = 0;
  #resumedAt = Number.NEGATIVE_INFINITY;
  readonly #connectTimeoutMs: number;
  readonly #siblings: () => readonly EngineServices[];
  readonly #onChange: (() => void) | undefined;
  readonly #openEngines: (() => number) | undefined;
  readonly #supervisor: SupervisorClient;
  readonly #log: Log;

  constructor(options: EngineServicesOptions) {
    const { id, backend, config, queue, siblings, maxConcurrent, supervisor, log, stopped } = options;
    const { maxReplays } = config.admission;
    this.id = id;
    this.#onChange = options.onChange;
    this.#onReady = options.onReady;
    this.#siblings = siblings ?? (() => [this]);
    this.#connectTimeoutMs = config.timeouts.connect;
    this.#openEngines = options.openEngines;
    this.#supervisor = supervisor;
    this.backend = backend;
    this.pool = this.#createPool();
    this.maySleep = options.maySleep;
    this.#log = log;
    this.countingScheduler = createCountingScheduler({
      ...queue,
      accounts: options.countingAccounts,
      peers: siblings && (() => siblings().map((engine) => engine.countingScheduler)),
    });
    this.scheduler = new Scheduler({
      ...queue,
      countingScheduler: this.countingScheduler,
      peers: siblings && (() => siblings().map((engine) => engine.scheduler)),
      mayServePeers: () => this.isOpen,
    });
    this.quarantine = createQuarantine({
      suspects: options.suspects,
      maxReplays,
      log,
      supervisor,
      engine: id,
      monitor: () => this.monitor,
    });
    this.prefillProbe = new PrefillProbe(backend, stopped);
    this.monitor = this.#startMonitor();
    this.router = this.#createRouter();
    this.gate = new CapacityGate({
      scheduler: this.scheduler,
      countingScheduler: this.countingScheduler,
      monitor: this.monitor,
      isConfirmed: () => {
        this.#isConfirmed ||= this.#isReadyForSupervisor;
        return this.#isConfirmed;
      },
      routerSlots: () => this.router.served?.slots,
      maxConcurrent,
    });
    this.counting = { backend, monitor: this.monitor, ended: stopped, quarantine: this.quarantine };
    this.modelMeta = new ModelMetaCache(backend, this.monitor);
    this.abandonedInput = new AbandonedInputCounter(this.counting);
    this.slotTracker = createSlotTracker(backend, log);
  }

  /** Two engines with one identity give the same answers to the same requests; undefined while it is unknown. */
  get identity(): string | undefined {
    const { props, status, isRouter } = this.monitor;
    if (props === undefined || isRouter) return undefined;
    const reported = this.#reportedIdentity;
    if (reported === null || (reported === undefined && status !== 'ready')) return undefined;
    return `${reported ?? this.#ownIdentity} ${props.buildInfo} ${props.contextPerSlot}`;
  }

  /** What the supervisor says of the identity of its answers; null while there is no process. */
  setIdentity(identity: string | null | undefined): void {
    const wasGone = this.#reportedIdentity === null;
    this.#reportedIdentity = identity;
    // Its process may have been replaced between two probes.
    if (wasGone && identity !== null) this.#onReady?.(this);
  }

  /** The names of the adapters that it was started with, in its order. */
  get adapters(): readonly string[] {
    return this.#adapters;
  }

  set adapters(names: readonly string[]) {
    this.#adapters = names;
    if (names.length > 0) this.adapterTurns ??= new AdapterTurns();
  }

  /** It serves requests now. One that rejects our key does not, however free it looks. */
  get isOpen(): boolean {
    const { scheduler, monitor } = this;
    return scheduler.capacity > 0 && !monitor.keyRejected && performance.now() >= this.#avoidedUntil;
  }

  /** It has rejected our key, although its probes may not show that: another engine is to serve for a while. */
  avoid(): void {
    if (this.isOpen)
      this.#log.error(`the backend rejects our key: it gets no requests for ${AVOIDED_MS / 1000} s`);
    this.#avoidedUntil = performance.now() + AVOIDED_MS;
    this.monitor.probeNow();
  }

  /** Its key has changed. */
  tryAgain(): void {
    this.#avoidedUntil = 0;
    this.monitor.probeNow();
  }

  /** What it counts as of the machine: the engines that serve now share it equally. */
  get machineShare(): number {
    return this.#openEngines === undefined ? 1 : 1 / Math.max(this.#openEngines(), 1);
  }

  /** Requests at it that it has not finished. */
  get leases(): number {
    return this.scheduler.leasesOut + this.countingScheduler.leasesOut;
  }

  /** Slots that are in use, or waited for. Those of batches do not count: they are given back. */
  get load(): number {
    const { leased, waiting } = this.scheduler.counts;
    return leased + waiting - this.scheduler.batches.leased;
  }

  /** Slots that lines of batches could get now. */
  get idleSlots(): number {
    const { counts, batches } = this.scheduler;
    const free = counts.waiting > 0 ? 0 : counts.capacity - counts.leased;
    return Math.min(free, batches.capacity - batches.leased) - batches.waiting;
  }

  /** To be called when the supervisor has reported. */
  supervisorReported(): void {
    if (this.#isConfirmed || this.monitor.status !== 'ready') return;
    this.gate.updateCapacity();
    this.#onChange?.();
  }

  /** After a pause. */
  async resume(): Promise<void> {
    this.#resumedAt = performance.now();
    await this.gate.resume();
  }

  /** Stops to watch the engine. */
  stopMonitoring(): void {
    this.monitor.close();
    this.router.close();
  }

  /** Closes all connections. Exchanges that still run fail. */
  disconnect(): void {
    if (!this.pool.destroyed) this.pool.destroy(new ShuttingDown('the gateway is shutting down'));
  }

  #createPool(): BackendPool {
    return new BackendPool(this.backend.address, { connectTimeoutMs: this.#connectTimeoutMs });
  }

  /** Nobody restarts a backend elsewhere that hangs, or is cut off: its exchanges go on at another one. */
  #moveExchanges(): void {
    const others = this.#siblings().filter((engine) => engine !== this && engine.isOpen);
    if (!(this.backend instanceof RemoteBackend) || others.length === 0) return;
    this.quarantine.ignoreCrash();
    const { pool: silent } = this;
    if (silent.destroyed) return;
    this.pool = this.#createPool();
    silent.destroy(new Error('the backend does not respond to probes'));
  }

  /**
   * A request that came before the supervisor finds the engine ready would be in the log as it is, and if it crashed the
   * engine, that would count as a failed load. Of an engine that it does not run, it says nothing.
   */
  get #isReadyForSupervisor(): boolean {
    const { engines = [] } = this.#supervisor.engines ?? {};
    const state = this.id === undefined ? engines[0] : engines.find(({ id }) => id === this.id);
    return state === undefined || state.status === 'ready';
  }

  /** An engine that was replaced during a pause may be seen to be gone a little later. */
  get #isExpectedToServe(): boolean {
    if (!this.#wasReady || !this.isExpected || this.gate.isPaused) return false;
    return performance.now() - this.#resumedAt > RESUME_GRACE_MS;
  }

  #startMonitor(): BackendMonitor {
    return monitorBackend(this.backend, {
      followSleep: () => this.maySleep,
      isExpected: () => this.isExpected,
      onChange: (status, monitor) => {
        this.#log.info({ standing: status, slots: monitor.props?.slots }, `backend is ${status}`);
        if (status !== 'ready' && this.#isExpectedToServe) this.crashes += 1;
        this.#wasReady = status === 'ready';
        this.#isConfirmed &&= this.#wasReady;
        if (status === 'ready') this.quarantine.onBackendUp();
        else this.quarantine.onBackendDown();
        this.#onBackendChanged();
        if (status === 'ready') this.#onReady?.(this);
        if (monitor.isSilent) this.#moveExchanges();
      },
      onPropsChange: ({ props }) => {
        this.#log.info(
          { slots: props?.slots, context: props?.contextPerSlot },
          'the properties of the backend have changed',
        );
        this.#onBackendChanged();
      },
    });
  }

  #createRouter(): RouterModels {
    return new RouterModels(this.backend, {
      onDetected: () =>
        this.#log.warn(
          'the backend is a llama-server router: the slot count is that of the model with the fewest slots (MAX_CONCURRENT_REQUESTS overrides it), engine metrics are unavailable, and prompts are not counted before they queue',
        ),
      onChange: () => {
        const { names, slots } = this.router.served ?? {};
        this.#log.info({ models: names?.join(', '), slots }, 'models of the router');
        this.gate.updateCapacity();
      },
    });
  }

  #onBackendChanged(): void {
    const { monitor, router, gate, prefillProbe } = this;
    this.#ownIdentity = randomUUID();
    if (monitor.status === 'ready' && monitor.keyRejected)
      this.#log.error('the backend rejects our key: check BACKEND_API_KEY');
    router.setIsRouter(monitor.status === 'ready' && monitor.isRouter);
    gate.updateCapacity();
    prefillProbe.clear();
    this.#onChange?.();
  }
}
