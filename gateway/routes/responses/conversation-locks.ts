import type { Store } from '../../../store/store.ts';
import { conversationLocked } from '../../errors/responses-catalogue.ts';

/**
 * The conversations that a response is being generated for. Two at a time would each miss what the other adds. One gateway
 * serves all clients of a deployment, so it is enough that it knows.
 */
export class ConversationLocks {
  readonly #store: () => Store;
  readonly #held = new Set<string>();

  constructor(store: () => Store) {
    this.#store = store;
  }

  /**
   * Held until the returned value is first disposed of. Throws an ApiError if another response of this owner holds it: to others,
   * the conversation does not exist.
   */
  acquire(owner: string, conversationId: string): Disposable {
    const lock = lockOf(owner, conversationId);
    if (this.#held.has(lock)) throw conversationLocked();
    this.#held.add(lock);
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        // By then another response may hold it.
        if (isHeld) this.#held.delete(lock);
        isHeld = false;
      },
    };
  }

  /** Throws an ApiError if a response is being generated for the conversation, also in the background. */
  requireFree(owner: string, conversationId: string): void {
    if (this.#held.has(lockOf(owner, conversationId))) throw conversationLocked();
    this.requireNoBackground(owner, conversationId);
  }

  /** The same, only for those in the background. */
  requireNoBackground(owner: string, conversationId: string): void {
    if (this.#store().responses.openInConversation(owner, conversationId) !== undefined)
      throw conversationLocked();
  }
}

const lockOf = (owner: string, conversationId: string) => JSON.stringify([owner, conversationId]);
