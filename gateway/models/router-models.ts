import type { Backend } from '../../health/backend.ts';
import { requestBackend } from '../../health/request-backend.ts';
import { appendFields } from '../api/json.ts';
import type { ApiRequest } from '../api/request/parse-request-body.ts';
import { invalidValue } from '../errors/catalogue.ts';

/** llama-server's slots for a model without `--parallel`. */
const DEFAULT_SLOTS = 4;
/** How often the models of a router are read: they may be added and removed at any time. */
const INTERVAL_MS = 5000;
const TIMEOUT_MS = 2000;

export interface ServedByRouter {
  readonly names: readonly string[];
  /** The slots of the model with the fewest: a router does not report which models it serves together. */
  readonly slots: number;
}

export interface RouterEvents {
  /** The backend is a router. */
  readonly onDetected: () => void;
  /** Its models are known, or have changed. */
  readonly onChange: () => void;
}

/** The models of a router: a llama-server that serves no model itself, and starts other llama-servers for them. */
export class RouterModels {
  readonly #backend: Backend;
  readonly #events: RouterEvents;
  #served: ServedByRouter | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isRouter = false;

  constructor(backend: Backend, events: RouterEvents) {
    this.#backend = backend;
    this.#events = events;
  }

  /** Undefined where the backend is not a router, or its models are not known yet. */
  get served(): ServedByRouter | undefined {
    return this.#served;
  }

  setIsRouter(isRouter: boolean): void {
    if (isRouter === this.#isRouter) return;
    this.#isRouter = isRouter;
    this.#served = undefined;
    clearTimeout(this.#timer);
    if (!isRouter) return;
    this.#events.onDetected();
    this.#refresh().catch(() => {});
  }

  close(): void {
    this.#isRouter = false;
    clearTimeout(this.#timer);
  }

  async #refresh(): Promise<void> {
    const response = await requestBackend(this.#backend, { path: '/v1/models', timeoutMs: TIMEOUT_MS });
    if (!this.#isRouter) return;
    const isOk = response.outcome === 'responded' && response.status === 200;
    const served = isOk ? parseModelList(response.body) : undefined;
    const hasChanged = served !== undefined && JSON.stringify(served) !== JSON.stringify(this.#served);
    const delay = served ? INTERVAL_MS : INTERVAL_MS / 10;
    this.#timer = setTimeout(() => this.#refresh().catch(() => {}), delay).unref();
    if (!hasChanged) return;
    this.#served = served;
    this.#events.onChange();
  }
}

interface ListedModel {
  readonly id?: unknown;
  readonly aliases?: readonly unknown[];
  readonly status?: { readonly args?: readonly unknown[] };
}

/** Undefined for any other text. */
function parseModelList(body: string): ServedByRouter | undefined {
  try {
    const { data } = JSON.parse(body) as { data: readonly ListedModel[] };
    const ids = data.flatMap(({ id, aliases = [] }) => [id, ...aliases]);
    const names = [...new Set(ids.filter((name) => typeof name === 'string'))];
    return { names, slots: data.length === 0 ? 1 : Math.min(...data.map(readSlots)) };
  } catch {
    return undefined;
  }
}

function readSlots({ status }: ListedModel): number {
  const args = status?.args ?? [];
  const at = args.findLastIndex((arg) => arg === '--parallel' || arg === '-np');
  const slots = at === -1 ? 0 : Number(args[at + 1]);
  return slots > 0 ? slots : DEFAULT_SLOTS;
}

/**
 * The same request for one of a router's models, under the name that its key may use. The name is appended to the body, where it
 * wins over the client's own. A form is rejected, because the model that it names is not read.
 */
export function addressModel(request: ApiRequest, model: string, type: string | undefined): ApiRequest {
  if (isForm(type))
    throw invalidValue('content-type', "'application/json', because this server has several models");
  return { ...request, body: withModel(model, request.body, type) };
}

/** Like addressModel, while it is not known whether the backend is a router. */
export function withModel(model: string, body: Buffer, type: string | undefined): Buffer {
  return isForm(type) ? body : appendFields(body, `"model":${JSON.stringify(model)}`);
}

const isForm = (type: string | undefined) => type?.startsWith('multipart/form-data') ?? false;
