import { setTimeout as sleep } from 'node:timers/promises';
import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import type { Lease } from '../scheduler/lease.ts';
import type { BusySlots } from './busy-slots.ts';
import { releasedSlots, type SlotHolder } from './released-slots.ts';

/** Between two looks at the backend's count, ms. */
const BETWEEN_LOOKS = 20;

/**
 * Where a plain request was broken off: llama-server looks for its client after a second in which nobody got any result,
 * and our own question is answered by one.
 */
const BETWEEN_LOOKS_FOR_PLAIN = 1250;

/** What had ended when the backend counted is known here a little later, ms. */
const ENDS_ARRIVE_WITHIN = 5;

export interface SlotTrackerOptions {
  readonly fetchBusySlots: () => Promise<BusySlots>;
  /** A backend kept a broken-off request longer than a lease is held for it. */
  readonly onTimeout: (heldMs: number) => void;
  /** How long that is. */
  readonly timeoutMs?: number;
}

/** One exchange's stay in the backend's slots. */
export interface SlotUse {
  /** The head of the answer has come. */
  start(): void;
  /** The exchange is over. Where it was broken off, its lease goes back when the backend has let go of its slots. */
  end(how: 'complete' | 'broken-off'): void;
}

interface Guest extends SlotHolder {
  readonly isStream: boolean;
  readonly letGo: () => void;
}

/**
 * Who holds slots of the backend, and who may hold some still: a socket that we close tells llama-server to stop, and it
 * does so when it next writes to it. One look at a time serves all who wait for that.
 */
export class SlotTracker {
  readonly #options: SlotTrackerOptions;
  readonly #guests = new Set<Guest>();
  #looking = false;

  constructor(options: SlotTrackerOptions) {
    this.#options = options;
  }

  /** A request goes to the backend, under a lease. */
  track(lease: Lease, isStream: boolean): SlotUse {
    const { promise, resolve } = Promise.withResolvers<void>();
    const guest: Guest = {
      weight: lease.slots,
      isStream,
      sentAt: performance.now(),
      startedAt: undefined,
      abortedAt: undefined,
      letGo: resolve,
    };
    if (lease.slots > 0) this.#guests.add(guest);
    return {
      start: () => {
        guest.startedAt ??= performance.now();
      },
      end: (how) => {
        if (how === 'complete' || lease.slots === 0) return void this.#guests.delete(guest);
        guest.abortedAt = performance.now();
        lease.keepUntil(promise);
        if (!this.#looking) this.#lookUntilAllAreGone().catch(recordUnhandledError);
      },
    };
  }

  async #lookUntilAllAreGone(): Promise<void> {
    this.#looking = true;
    try {
      while (this.#waiting.length > 0) {
        await this.#look();
        if (this.#waiting.length > 0) await sleep(this.#betweenLooks, undefined, { ref: false });
      }
    } finally {
      this.#looking = false;
    }
  }

  get #waiting(): Guest[] {
    return [...this.#guests].filter(({ abortedAt }) => abortedAt !== undefined);
  }

  get #betweenLooks(): number {
    return this.#waiting.some(({ isStream }) => isStream) ? BETWEEN_LOOKS : BETWEEN_LOOKS_FOR_PLAIN;
  }

  async #look(): Promise<void> {
    const askedAt = performance.now();
    // A question that fails has told nothing; who waits is let go when its patience is over.
    const busy = await this.#options.fetchBusySlots().catch((): BusySlots => 'deaf');
    await sleep(ENDS_ARRIVE_WITHIN, undefined, { ref: false });
    for (const guest of this.#goneBy(busy, askedAt)) this.#letGo(guest);
    for (const guest of this.#waiting) this.#letGoIfOverdue(guest);
  }

  #goneBy(busy: BusySlots, askedAt: number): readonly Guest[] {
    if (busy === 'deaf') return [];
    return typeof busy === 'string' ? this.#waiting : releasedSlots(this.#guests, busy, askedAt);
  }

  #letGoIfOverdue(guest: Guest): void {
    const { onTimeout, timeoutMs = 3000 } = this.#options;
    const heldMs = performance.now() - (guest.abortedAt ?? 0);
    if (heldMs < timeoutMs) return;
    onTimeout(heldMs);
    this.#letGo(guest);
  }

  #letGo(guest: Guest): void {
    this.#guests.delete(guest);
    guest.letGo();
  }
}
