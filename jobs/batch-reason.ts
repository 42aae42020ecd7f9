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
 * own lines, if those of all its models wait. So the end of one of both does not hide the other.
 */
export class BatchReason {
  readonly #batchId: string;
  readonly #services: ReasonServices;
  /** An earlier runner has left it: the first line of a model that succeeds removes it. */
  #before: string | null;
  /** By model that has lines left; null: they make progress. */
  #ofLines = new Map<string, string | null>();
  #shown: string | null;

  constructor({ id, reason }: Pick<Batch, 'id' | 'reason'>, services: ReasonServices) {
    this.#batchId = id;
    this.#services = services;
    this.#before = reason;
    this.#shown = reason;
  }

  /** The lines of these models begin. */
  begin(models: readonly string[]): void {
    this.#ofLines = new Map(models.map((model) => [model, this.#before]));
    this.#before = null;
  }

  /** Null: the lines of this model make progress again. */
  set(model: string, reason: string | null): void {
    this.#ofLines.set(model, reason);
    this.show();
  }

  /** The lines of this model have ended. */
  end(model: string): void {
    this.#ofLines.delete(model);
    this.show();
  }

  /** To be called when the store has begun or ceased to make batches wait. It does not matter if it fails. */
  show(): void {
    const { store, guard } = this.#services;
    const reason = guard.reason ?? this.#reasonOfLines;
    if (reason === this.#shown) return;
    try {
      store.batches.update(this.#batchId, { reason });
      this.#shown = reason;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
  }

  get #reasonOfLines(): string | null {
    const reasons = [...this.#ofLines.values()];
    if (reasons.length === 0) return this.#before;
    return reasons.includes(null) ? null : (reasons[0] ?? null);
  }
}
