import type { Standing } from '../../health/standing.ts';
import type { BackendWatch } from '../../health/watch.ts';
import type { Admission } from './admission.ts';

export interface GateOptions {
  readonly admission: Admission;
  readonly watch: Pick<BackendWatch, 'standing' | 'facts' | 'relearn'>;
  /** Undefined: as many as the backend has slots. */
  readonly maxConcurrent: number | undefined;
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
    const { admission, watch, maxConcurrent } = this.#options;
    const isOpen = watch.standing === 'ready' && !this.#held;
    admission.setCapacity(isOpen ? (maxConcurrent ?? watch.facts?.slots ?? 1) : 0);
  }

  /** Nothing new goes to the backend; settles when nothing is there any more. */
  async hold(): Promise<void> {
    this.#held = true;
    this.follow();
    await this.#options.admission.settled();
  }

  /** The backend may have become another one meanwhile. */
  async release(): Promise<void> {
    if (!this.#held) return;
    this.#held = false;
    await this.#options.watch.relearn();
    this.follow();
  }
}
