import type { BackendStatus } from '../../health/backend.ts';
import type { GatewayConfig } from '../config.ts';
import type { EngineServices } from './engine-services.ts';
import type { RequestedModel } from './requested-model.ts';

/** The only model. */
export class OnlyModel implements RequestedModel {
  readonly timeouts: GatewayConfig['timeouts'];
  readonly queueTimeoutMs: number;
  readonly getName: RequestedModel['getName'];
  readonly getAdapter: RequestedModel['getAdapter'];
  readonly name = '';
  readonly failure = undefined;
  readonly isRemoved = false;
  readonly loadComment = undefined;
  readonly #engine: EngineServices;

  constructor(
    engine: EngineServices,
    { timeouts, admission }: Pick<GatewayConfig, 'timeouts' | 'admission'>,
    { getName, getAdapter }: Pick<RequestedModel, 'getName' | 'getAdapter'>,
  ) {
    this.#engine = engine;
    this.timeouts = timeouts;
    this.queueTimeoutMs = admission.timeoutMs;
    this.getName = getName;
    this.getAdapter = getAdapter;
  }

  pickEngine(): EngineServices {
    return this.#engine;
  }

  engineOf(): EngineServices {
    return this.#engine;
  }

  pickIdleEngine(): EngineServices {
    return this.#engine;
  }

  get batchSlots(): number {
    return this.#engine.scheduler.batches.capacity;
  }

  avoid(): boolean {
    return false;
  }

  getStatus({ monitor }: EngineServices): BackendStatus {
    return monitor.status;
  }
}
