import type { Standing } from '../../health/standing.ts';
import type { BackendWatch } from '../../health/watch.ts';
import type { Admission } from './admission.ts';
import { COUNTING_PLACES } from './counting-places.ts';

export interface GateOptions {
  readonly admission: Admission;
  /** Of what needs no slot. */
  readonly countingPlaces: Admission;
  readonly watch: Pick<BackendWatch, 'standing' | 'facts' | 'relearn'>;
  /** Undefined: as many as the backend has slots. */
  readonly maxConcurrent: number | undefined;
  /** Those of a router, which has none of its own. */
  readonly routerSlots?: () => number | undefined;
}

/** Lets requests go to the backend while it is ready and nobody holds them: keeps the capacity of the admission in step. */
export class Gate {
  readonly #options: GateOptions;
  #held = false;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** The backend's, as far as requests are concerned. */
  get standing(): Standing {
    const { standing } = this.#options.watch;
    return this.#held && standing === 'ready' ? 'restarting' : standing;
  }

  /** The backend has changed. */
  follow(): void {
    const { admission, countingPlaces, watch, maxConcurrent, routerSlots } = this.#options;
    const isOpen = watch.standing === 'ready' && !this.#held;
    admission.setCapacity(isOpen ? (maxConcurrent ?? watch.facts?.slots ?? routerSlots?.() ?? 1) : 0);
    countingPlaces.setCapacity(isOpen ? COUNTING_PLACES : 0);
  }

  /** Nothing new goes to the backend; settles when nothing is there any more. */
  async hold(): Promise<void> {
    this.#held = true;
    this.follow();
    await Promise.all(this.#all.map((one) => one.settled()));
  }

  /** Nothing new from here on: who waits is sent away. */
  drain(): void {
    for (const one of this.#all) one.drain();
  }

  /** Nobody waits any more, those included who would come again. */
  shut(why: 'draining' | 'lost'): void {
    for (const one of this.#all) one.shut(why);
  }

  get #all(): readonly Admission[] {
    return [this.#options.admission, this.#options.countingPlaces];
  }

  /** The backend may have become another one meanwhile. */
  async release(): Promise<void> {
    if (!this.#held) return;
    this.#held = false;
    await this.#options.watch.relearn();
    this.follow();
  }
}
