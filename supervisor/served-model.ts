import type { BackendStatus } from '../health/backend.ts';
import type { ModelState, ModelStatus } from '../health/supervisor-messages.ts';
import type { FileMeta } from '../models/file-meta.ts';
import type { ModelRecord } from '../models/registry.ts';
import type { Engine } from './engine.ts';
import { ModelUsage } from './model-usage.ts';
import { RejectedFiles } from './rejected-files.ts';
import { bestStatus } from './system-status.ts';

/** A model that the deployment serves, with its engines: one, or several replicas. */
export class ServedModel {
  readonly id: string;
  /** Its record in `models.json`; undefined for the only model. */
  record: ModelRecord | undefined;
  readonly engines: readonly Engine[];
  /** Its engines are no longer those of `models.json`, and are stopped once their requests have ended. */
  isRemoved = false;
  /** It is removed, and created again once its engines have stopped: its clients wait for that. */
  isReturning = false;
  /** It has been ready since the start. */
  wasReady = false;
  /** One that is created again has that of the model before: the gateway reports only changes. */
  usage = new ModelUsage(performance.now());
  readonly rejectedFiles = new RejectedFiles();
  /** When the switch to it was begun, and when it was loaded, in milliseconds of a monotonic clock. */
  switchedAt: number | undefined;
  loadedAt: number | undefined;
  /** It has been decided to load it; its memory may still be in use. */
  isSwitchBegun = false;
  /** What its file says of it; undefined if that is unknown. */
  meta: FileMeta | undefined;
  /** Why it cannot be loaded at all; undefined if it can, as far as is known. */
  misfit: string | undefined;
  /** What it took at its last load, in bytes. */
  measuredBytes: number | undefined;
  /** More than this was free when its last load failed for lack of memory. */
  missedBytes: number | undefined;
  /** Its last load failed for lack of memory: the next attempt is the last one. */
  isSecondAttempt = false;
  /** The record that an engine was configured by. */
  readonly applied = new Map<Engine, ModelRecord>();
  readonly #isFromStart: boolean;

  /** `isFromStart`: it was there when the deployment started. */
  constructor(options: {
    readonly id: string;
    readonly engines: readonly Engine[];
    readonly record?: ModelRecord;
    readonly isFromStart: boolean;
  }) {
    this.id = options.id;
    this.engines = options.engines;
    this.record = options.record;
    this.#isFromStart = options.isFromStart;
    if (options.record) for (const engine of this.engines) this.applied.set(engine, options.record);
  }

  /** The deployment is ready only with it. One that was added later does not count before it is ready itself. */
  get isRequired(): boolean {
    return this.pin && !this.isRemoved && (this.#isFromStart || this.wasReady);
  }

  get pin(): boolean {
    return this.record === undefined || this.record.pin;
  }

  /** It is loaded if one of its engines is. */
  get status(): ModelStatus {
    if (this.misfit !== undefined && !this.isResident) return 'failed';
    const statuses = this.engines.map((engine) => engine.status);
    const order = ['loaded', 'sleeping', 'loading', 'failed'] as const;
    return order.find((status) => statuses.includes(status)) ?? (this.isElsewhere ? 'loaded' : 'unloaded');
  }

  /** The best of its engines: what its clients notice. */
  get backendStatus(): BackendStatus {
    if (this.status === 'failed') return 'failed';
    return this.isElsewhere ? 'ready' : bestStatus(this.engines.map((engine) => engine.state.status));
  }

  /** Its engines run elsewhere: we neither start nor stop them. */
  get isElsewhere(): boolean {
    return this.record?.source.kind === 'backends';
  }

  /** An engine has yet to take up a change of the record. */
  get isOutdated(): boolean {
    return this.engines.some((engine) => this.applied.get(engine) !== this.record);
  }

  get isUnloading(): boolean {
    return this.engines.some((engine) => engine.isUnloading);
  }

  /** A process of it exists, and so it takes memory. */
  get isResident(): boolean {
    return this.engines.some((engine) => engine.process !== undefined);
  }

  /** Why it has failed: that of an engine, or `does-not-fit`. */
  get failure(): string | undefined {
    if (this.misfit !== undefined && !this.isResident) return 'does-not-fit';
    return this.status === 'failed' ? this.engines.find(({ failure }) => failure)?.failure : undefined;
  }

  /** The progress of the engine that is ahead; undefined if none reports it. */
  get loadProgress(): number | undefined {
    const known = this.engines.flatMap(({ loadProgress }) => loadProgress ?? []);
    return this.status === 'loading' && known.length > 0 ? Math.max(...known) : undefined;
  }

  /** Nobody can ask for it any more. */
  get isGone(): boolean {
    return this.isRemoved && !this.isReturning;
  }

  /** For the gateway. */
  get state(): ModelState {
    return {
      ...{ id: this.id, status: this.status, pin: this.pin, removed: this.isGone },
      loadProgress: this.loadProgress ?? null,
      failure: this.failure ?? null,
      ...(this.meta && { meta: this.meta }),
    };
  }

  load(): void {
    for (const engine of this.engines) engine.load();
  }

  /** Stops its engines once no request is left at them. One that has failed may be loaded again with the others. */
  unload(): void {
    for (const engine of this.engines) {
      engine.forgetFailure();
      engine.unload();
    }
  }

  /** Its requests go on, unless it is being stopped already. A replica that had none any more is loaded again. */
  resume(): void {
    for (const engine of this.engines) {
      engine.resume();
      if (engine.status === 'unloaded') engine.load();
    }
  }

  /** It may be loaded again. */
  forgetFailure(): void {
    this.misfit = undefined;
    this.missedBytes = undefined;
    this.isSecondAttempt = false;
    for (const engine of this.engines) engine.forgetFailure();
  }
}
