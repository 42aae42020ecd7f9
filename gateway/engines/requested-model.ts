import type { BackendStatus } from '../../health/backend.ts';
import type { Key } from '../../keys/key.ts';
import type { GatewayConfig } from '../config.ts';
import type { Lease } from '../scheduler/lease.ts';
import type { EngineServices } from './engine-services.ts';

/** What the requests for one model need of it. */
export interface RequestedModel {
  /**
   * The engine for the next attempt; throws an ApiError if it has none any more. `conversation` identifies one whose beginning an
   * engine may have in its cache.
   */
  pickEngine(conversation: string | undefined): EngineServices;
  /** The engine that has granted a request its slots: another one than where it waited, if that was sooner. */
  engineOf(lease: Lease, conversation: string | undefined): EngineServices;
  /** The engine for a line of a batch. Throws as `pickEngine` does. */
  pickIdleEngine(): EngineServices;
  /** How many slots of its engines batches may use now. */
  readonly batchSlots: number;
  /** An engine rejects our key: others serve its requests for a while. False if there is none that can. */
  avoid(engine: EngineServices): boolean;
  /** The public name for a request that names it so; throws an ApiError if the key may not use it. */
  getName(requested: string | undefined, key: Key | undefined): string;
  /** The adapter that a public name of the model stands for; undefined for none. */
  getAdapter(name: string): string | undefined;
  readonly timeouts: GatewayConfig['timeouts'];
  /** How long its requests may wait for an engine, ms. */
  readonly queueTimeoutMs: number;
  /** The status of the model if it is worse than that of the engine: an unloaded model is going to be loaded. */
  getStatus(engine: EngineServices): BackendStatus;
  /** Its id; empty for the only model. */
  readonly name: string;
  /** Why it will not serve; undefined if it will. */
  readonly failure: string | undefined;
  /** It is not in `models.json` any more. */
  readonly isRemoved: boolean;
  /** For clients that wait: `loading b, 42 %`; undefined if it is loaded. */
  readonly loadComment: string | undefined;
}
