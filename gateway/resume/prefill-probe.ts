import type { Backend } from '../../health/backend.ts';
import type { PrefillBehaviour, PrefillQuery } from './prefill-behaviour.ts';
import { probePrefill } from './probe-prefill.ts';

/**
 * What is known of these habits. A backend is asked when somebody needs to know, by that request's lease and in its
 * time: so nobody is asked who loads or sleeps, and one that is never needed is never asked. All who need the same wait
 * for the one answer.
 */
export class PrefillProbe {
  readonly #backend: Backend;
  readonly #ended: AbortSignal;
  readonly #known = new Map<string, Promise<PrefillBehaviour | undefined>>();

  constructor(backend: Backend, ended: AbortSignal) {
    this.#backend = backend;
    this.#ended = ended;
  }

  /** Another process may stand behind the address. */
  clear(): void {
    this.#known.clear();
  }

  /** Undefined where the backend does not tell; throws BackendAway where it is gone. */
  get(question: PrefillQuery): Promise<PrefillBehaviour | undefined> {
    const name = JSON.stringify(question);
    const known = this.#known.get(name);
    if (known) return known;
    const asked = probePrefill(this.#backend, question, this.#ended);
    this.#known.set(name, asked);
    asked.catch(() => {
      if (this.#known.get(name) === asked) this.#known.delete(name);
    });
    return asked;
  }
}
