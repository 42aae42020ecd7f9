import type { Batch } from '../store/batch.ts';
import { StoreUnavailable } from '../store/errors.ts';
import type { Store } from '../store/store.ts';
import type { StoreGuard } from './store-guard.ts';

interface ReasonServices {
  readonly store: Store;
  readonly guard: StoreGuard;
}

/**
 * Shows the owner of a batch why it makes no progress: because of the store, which makes all batches wait, else because of its
 * own lines. So the end of one of both does not hide the other.
 */
export class BatchReason {
  readonly #batchId: string;
  readonly #services: ReasonServices;
  #ofLines: string | null;
  #shown: string | null;

  constructor({ id, reason }: Pick<Batch, 'id' | 'reason'>, services: ReasonServices) {
    this.#batchId = id;
    this.#services = services;
    // An earlier runner has left it: the first line that succeeds removes it.
    this.#ofLines = reason;
    this.#shown = reason;
  }

  /** Null: its lines make progress again. */
  set(ofLines: string | null): void {
    this.#ofLines = ofLines;
    this.show();
  }

  /** To be called when the store has begun or ceased to make batches wait. It does not matter if it fails. */
  show(): void {
    const { store, guard } = this.#services;
    const reason = guard.reason ?? this.#ofLines;
    if (reason === this.#shown) return;
    try {
      store.batches.update(this.#batchId, { reason });
      this.#shown = reason;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
  }
}
