import type { Key } from '../../keys/key.ts';
import { adapterId } from '../models/adapter-names.ts';
import type { Lease } from '../scheduler/lease.ts';
import type { EngineServices } from './engine-services.ts';
import type { RequestedModel } from './requested-model.ts';

/** A model with one of its adapters. What was read with it is of no use without it, so its conversations are others. */
export class AdaptedModel implements RequestedModel {
  readonly adapter: string;
  readonly #model: RequestedModel;

  constructor(model: RequestedModel, adapter: string) {
    this.#model = model;
    this.adapter = adapter;
  }

  get name(): string {
    return this.#model.name;
  }

  getName(requested: string | undefined, key: Key | undefined): string {
    return adapterId(this.#model.getName(requested, key), this.adapter);
  }

  getAdapter(): string {
    return this.adapter;
  }

  pickEngine(conversation: string | undefined): EngineServices {
    return this.#model.pickEngine(this.#ownOf(conversation));
  }

  engineOf(lease: Lease, conversation: string | undefined): EngineServices {
    return this.#model.engineOf(lease, this.#ownOf(conversation));
  }

  pickIdleEngine(): EngineServices {
    return this.#model.pickIdleEngine();
  }

  avoid(engine: EngineServices): boolean {
    return this.#model.avoid(engine);
  }

  getStatus(engine: EngineServices) {
    return this.#model.getStatus(engine);
  }

  get batchSlots() {
    return this.#model.batchSlots;
  }

  get timeouts() {
    return this.#model.timeouts;
  }

  get queueTimeoutMs() {
    return this.#model.queueTimeoutMs;
  }

  get failure() {
    return this.#model.failure;
  }

  get isRemoved() {
    return this.#model.isRemoved;
  }

  get loadComment() {
    return this.#model.loadComment;
  }

  #ownOf(conversation: string | undefined): string | undefined {
    return conversation && `${this.adapter} ${conversation}`;
  }
}
