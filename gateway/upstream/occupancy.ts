import { setTimeout as sleep } from 'node:timers/promises';
import { noteUnforeseen } from '../../log/unforeseen.ts';
import type { Lease } from '../admission/lease.ts';
import type { BusySlots } from './ask-busy-slots.ts';
import { type Occupant, whoHasLetGo } from './who-has-let-go.ts';

/** Between two looks at the backend's count, ms. */
const BETWEEN_LOOKS = 20;

/**
 * Where a plain request was broken off: llama-server looks for its client after a second in which nobody got any result,
 * and our own question is answered by one.
 */
const BETWEEN_LOOKS_FOR_PLAIN = 1250;

/** What had ended when the backend counted is known here a little later, ms. */
const ENDS_ARRIVE_WITHIN = 5;

export interface OccupancyOptions {
  readonly askBusySlots: () => Promise<BusySlots>;
  /** A backend kept a broken-off request longer than a lease is held for it. */
  readonly onImpatience: (heldMs: number) => void;
  /** How long that is. */
  readonly patienceMs?: number;
}

/** One exchange's stay in the backend's slots. */
export interface Stay {
  /** The head of the answer has come. */
  begin(): void;
  /** The exchange is over. Where it was broken off, its lease goes back when the backend has let go of its slots. */
  end(how: 'complete' | 'broken-off'): void;
}

interface Guest extends Occupant {
  readonly isStream: boolean;
  readonly letGo: () => void;
}

/**
 * Who holds slots of the backend, and who may hold some still: a socket that we close tells llama-server to stop, and it
 * does so when it next writes to it. One look at a time serves all who wait for that.
 */
export class Occupancy {
  readonly #options: OccupancyOptions;
  readonly #guests = new Set<Guest>();
  #looking = false;

  constructor(options: OccupancyOptions) {
    this.#options = options;
  }

  /** A request goes to the backend, under a lease. */
  enter(lease: Lease, isStream: boolean): Stay {
    const { promise, resolve } = Promise.withResolvers<void>();
    const guest: Guest = {
      weight: lease.weight,
      isStream,
      sentAt: performance.now(),
      begunAt: undefined,
      brokenOffAt: undefined,
      letGo: resolve,
    };
    if (lease.weight > 0) this.#guests.add(guest);
    return {
      begin: () => {
        guest.begunAt ??= performance.now();
      },
      end: (how) => {
        if (how === 'complete' || lease.weight === 0) return void this.#guests.delete(guest);
        guest.brokenOffAt = performance.now();
        lease.keepUntil(promise);
        if (!this.#looking) this.#lookUntilAllAreGone().catch(noteUnforeseen);
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
    return [...this.#guests].filter(({ brokenOffAt }) => brokenOffAt !== undefined);
  }

  get #betweenLooks(): number {
    return this.#waiting.some(({ isStream }) => isStream) ? BETWEEN_LOOKS : BETWEEN_LOOKS_FOR_PLAIN;
  }

  async #look(): Promise<void> {
    const askedAt = performance.now();
    // A question that fails has told nothing; who waits is let go when its patience is over.
    const busy = await this.#options.askBusySlots().catch((): BusySlots => 'deaf');
    await sleep(ENDS_ARRIVE_WITHIN, undefined, { ref: false });
    for (const guest of this.#goneBy(busy, askedAt)) this.#letGo(guest);
    for (const guest of this.#waiting) this.#letGoIfOverdue(guest);
  }

  #goneBy(busy: BusySlots, askedAt: number): readonly Guest[] {
    if (busy === 'deaf') return [];
    return typeof busy === 'string' ? this.#waiting : whoHasLetGo(this.#guests, busy, askedAt);
  }

  #letGoIfOverdue(guest: Guest): void {
    const { onImpatience, patienceMs = 3000 } = this.#options;
    const heldMs = performance.now() - (guest.brokenOffAt ?? 0);
    if (heldMs < patienceMs) return;
    onImpatience(heldMs);
    this.#letGo(guest);
  }

  #letGo(guest: Guest): void {
    this.#guests.delete(guest);
    guest.letGo();
  }
}
