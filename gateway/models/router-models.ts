import type { Backend } from '../../health/backend.ts';
import { requestBackend } from '../../health/request-backend.ts';

/** What llama-server gives a model whose slots nobody has set. */
const SLOTS_BY_DEFAULT = 4;
/** How often a router is asked what it serves, ms: models may be added and taken away. */
const EVERY = 5000;
const PATIENCE = 2000;

export interface ServedModels {
  readonly names: readonly string[];
  /** Of the model that has the fewest: a router does not say which it serves together. */
  readonly slots: number;
}

export interface RouterEvents {
  /** The backend is a router. */
  readonly onDetected: () => void;
  /** It has told what it serves, or serves something else. */
  readonly onChange: () => void;
}

/** The models of a router: a llama-server that serves none itself, and starts others of which it knows. */
export class RouterModels {
  readonly #backend: Backend;
  readonly #events: RouterEvents;
  #served: ServedModels | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isFollowed = false;

  constructor(backend: Backend, events: RouterEvents) {
    this.#backend = backend;
    this.#events = events;
  }

  /** Undefined where the backend is no router, or has not told yet. */
  get served(): ServedModels | undefined {
    return this.#served;
  }

  /** Whether the backend is a router from now on. */
  setIsRouter(isRouter: boolean): void {
    if (isRouter === this.#isFollowed) return;
    this.#isFollowed = isRouter;
    this.#served = undefined;
    clearTimeout(this.#timer);
    if (!isRouter) return;
    this.#events.onDetected();
    this.#look().catch(() => {});
  }

  close(): void {
    this.#isFollowed = false;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const answer = await requestBackend(this.#backend, { path: '/v1/models', timeoutMs: PATIENCE });
    if (!this.#isFollowed) return;
    const served =
      answer.outcome === 'answered' && answer.status === 200 ? parseModelList(answer.body) : undefined;
    const hasChanged = served !== undefined && JSON.stringify(served) !== JSON.stringify(this.#served);
    this.#timer = setTimeout(() => this.#look().catch(() => {}), served ? EVERY : EVERY / 10).unref();
    if (!hasChanged) return;
    this.#served = served;
    this.#events.onChange();
  }
}

interface Model {
  readonly id?: unknown;
  readonly aliases?: readonly unknown[];
  readonly status?: { readonly args?: readonly unknown[] };
}

/** What a router's list of models says; undefined where it is none. */
export function parseModelList(body: string): ServedModels | undefined {
  try {
    const { data } = JSON.parse(body) as { data: readonly Model[] };
    const named = data.flatMap(({ id, aliases = [] }) => [id, ...aliases]);
    const names = [...new Set(named.filter((name) => typeof name === 'string'))];
    return { names, slots: data.length === 0 ? 1 : Math.min(...data.map(slotsOf)) };
  } catch {
    return undefined;
  }
}

function slotsOf({ status }: Model): number {
  const args = status?.args ?? [];
  const at = args.findLastIndex((arg) => arg === '--parallel' || arg === '-np');
  const slots = at === -1 ? 0 : Number(args[at + 1]);
  return slots > 0 ? slots : SLOTS_BY_DEFAULT;
}
