import type { BackendStatus } from '../../health/backend.ts';
import type { ModelState } from '../../health/supervisor-messages.ts';
import type { ModelRecord } from '../../models/registry.ts';
import { BoundedMap } from '../bounded-map.ts';
import type { GatewayConfig } from '../config.ts';
import { modelNotFound } from '../errors/catalogue.ts';
import type { Lease, LeaseOwner } from '../scheduler/lease.ts';
import { createSuspects, type SuspectBodies } from '../scheduler/quarantine.ts';
import type { EngineServices } from './engine-services.ts';
import { pickEngine, pickIdleEngine } from './pick-engine.ts';
import type { RequestedModel } from './requested-model.ts';

/** The most conversations whose engine is remembered, for each model. */
const MAX_CONVERSATIONS = 10_000;

/** One of several models, with its engines. */
export class ModelServices implements RequestedModel {
  readonly id: string;
  record: ModelRecord;
  state: ModelState;
  readonly engines: EngineServices[] = [];
  /** Read by the schedulers of its engines. */
  readonly limits = { maxWaiting: 0, maxWaitingPerLane: 0, timeoutMs: 0 };
  /** The bodies that may have crashed its engines. */
  readonly suspects: SuspectBodies = createSuspects();
  readonly #config: GatewayConfig;
  /** The engine that last served a conversation, in the order of use. */
  readonly #homes = new BoundedMap<string, EngineServices>(MAX_CONVERSATIONS);
  /** Also those that were removed, as long as they serve. */
  readonly #engineOf = new WeakMap<LeaseOwner, EngineServices>();
  #timeouts: GatewayConfig['timeouts'];
  #isBalancing = false;

  constructor(config: GatewayConfig, record: ModelRecord, state: ModelState) {
    this.#config = config;
    this.id = record.id;
    this.record = record;
    this.state = state;
    this.#timeouts = config.timeouts;
    this.setRecord(record);
  }

  setRecord(record: ModelRecord): void {
    const { admission, timeouts } = this.#config;
    const {
      queueSize = admission.maxWaiting,
      queueTimeout = admission.timeoutMs,
      requestTimeout,
    } = record.limits;
    this.record = record;
    this.limits.maxWaiting = queueSize;
    const isLaneLimited = admission.maxWaitingPerLane < admission.maxWaiting;
    this.limits.maxWaitingPerLane = isLaneLimited
      ? Math.min(admission.maxWaitingPerLane, queueSize)
      : queueSize;
    this.limits.timeoutMs = queueTimeout;
    this.#timeouts = requestTimeout === undefined ? timeouts : { ...timeouts, request: requestTimeout };
    this.updateCapacities();
  }

  get timeouts(): GatewayConfig['timeouts'] {
    return this.#timeouts;
  }

  get queueTimeoutMs(): number {
    return this.limits.timeoutMs;
  }

  /** The part of the limit of the model that an engine gets. The parts of those that serve add up to the limit. */
  maxConcurrentOf(engine: EngineServices | undefined): number | undefined {
    const limit = this.record.limits.concurrent ?? this.#config.admission.maxConcurrent;
    if (limit === undefined) return undefined;
    const serving = this.engines.filter(({ monitor }) => monitor.status === 'ready');
    const index = engine === undefined ? -1 : serving.indexOf(engine);
    // It is not known yet: when it is, the parts change.
    if (index === -1) return 0;
    return Math.floor(limit / serving.length) + (index < limit % serving.length ? 1 : 0);
  }

  get name(): string {
    return this.id;
  }

  get failure(): string | undefined {
    return this.state.status === 'failed' ? (this.state.failure ?? 'unknown') : undefined;
  }

  /** How often its engines have crashed, each since it exists. */
  get crashes(): number {
    return this.engines.reduce((sum, { crashes }) => sum + crashes, 0);
  }

  get isRemoved(): boolean {
    return this.state.removed;
  }

  get loadComment(): string | undefined {
    const { status, loadProgress } = this.state;
    if (status !== 'unloaded' && status !== 'loading') return undefined;
    const percent = loadProgress === null ? '' : `, ${Math.floor(loadProgress * 100)} %`;
    return `loading ${this.id}${percent}`;
  }

  getName(): string {
    return this.id;
  }

  getAdapter(): undefined {}

  getStatus({ monitor }: EngineServices): BackendStatus {
    const { status } = this.state;
    return status === 'unloaded' || status === 'loading' ? 'loading' : monitor.status;
  }

  pickEngine(conversation: string | undefined): EngineServices {
    const [only] = this.engines;
    if (only === undefined) throw modelNotFound(this.id);
    if (this.engines.length === 1) return only;
    const home = conversation === undefined ? undefined : this.#homes.get(conversation);
    const engine = pickEngine(this.engines, home) ?? only;
    if (conversation !== undefined) this.#homes.set(conversation, engine);
    return engine;
  }

  engineOf({ scheduler }: Lease, conversation: string | undefined): EngineServices {
    const engine = this.#engineOf.get(scheduler);
    if (engine === undefined) throw new Error(`the model ${this.id} has no engine with this scheduler`);
    if (conversation !== undefined) this.#homes.set(conversation, engine);
    return engine;
  }

  pickIdleEngine(): EngineServices {
    const engine = pickIdleEngine(this.engines);
    if (engine === undefined) throw modelNotFound(this.id);
    return engine;
  }

  get batchSlots(): number {
    return this.engines.reduce((sum, { scheduler }) => sum + scheduler.batches.capacity, 0);
  }

  avoid(engine: EngineServices): boolean {
    if (!this.engines.some((other) => other !== engine && other.isOpen)) return false;
    engine.avoid();
    this.balance();
    return true;
  }

  /** Moves requests that wait at one engine to others that can serve them sooner. To be called when an engine has changed. */
  balance(): void {
    if (this.engines.length === 1 || this.#isBalancing) return;
    this.#isBalancing = true;
    queueMicrotask(() => {
      this.#isBalancing = false;
      const open = this.engines.filter(({ isOpen }) => isOpen);
      if (open.length === 0) return;
      for (const engine of this.engines) if (!engine.isOpen) moveAll(engine);
      for (const { scheduler } of open) scheduler.servePeers();
      for (const engine of open) this.#fillIdle(engine);
    });
  }

  add(engine: EngineServices): void {
    this.engines.push(engine);
    this.#engineOf.set(engine.scheduler, engine);
    this.updateCapacities();
  }

  /** The requests that wait at it go to another engine. */
  remove(engine: EngineServices): void {
    this.engines.splice(this.engines.indexOf(engine), 1);
    for (const [conversation, home] of this.#homes) if (home === engine) this.#homes.delete(conversation);
    if (this.engines.length > 0) moveAll(engine);
    this.updateCapacities();
  }

  /** To be called when an engine has changed: they share the limit of the model. */
  updateCapacities(): void {
    for (const { gate } of this.engines) gate.updateCapacity();
  }

  /** Lines of batches that wait at another engine get slots that nobody else wants here. */
  #fillIdle(engine: EngineServices): void {
    if (engine.idleSlots <= 0) return;
    const [busiest] = this.engines.toSorted(
      (a, b) => b.scheduler.batches.waiting - a.scheduler.batches.waiting,
    );
    if (busiest !== engine) busiest?.scheduler.moveLines(engine.idleSlots);
  }
}

function moveAll({ scheduler, countingScheduler }: EngineServices): void {
  scheduler.moveAll();
  countingScheduler.moveAll();
}
