import type { JsonObject } from '../../json/json-object.ts';
import type { Key } from '../../keys/key.ts';
import type { ModelKind, ModelRecord } from '../../models/registry.ts';
import { appendFields, replaceLoneSurrogates } from '../api/json.ts';
import { missingDefaults } from '../api/request/model-defaults.ts';
import { decodeBody, parseBody } from '../api/request/parse-body.ts';
import type { ApiRoute } from '../api/route-table.ts';
import { toAbortSignal } from '../cancellation.ts';
import type { GatewayConfig } from '../config.ts';
import { AdaptedModel } from '../engines/adapted-model.ts';
import type { ModelFleet } from '../engines/model-fleet.ts';
import {
  invalidValue,
  modelKindMismatch,
  modelLoading,
  modelNotAllowed,
  modelNotFound,
} from '../errors/catalogue.ts';
import { findAdapter, mayUseAdapter } from '../models/adapter-names.ts';
import { identifyConversation, readSession } from './conversation.ts';
import { readFormField } from './form-field.ts';
import type { ModelRouting, RoutedRequest } from './model-routing.ts';
import type { RequestContext } from './request-context.ts';
import { abortError } from './result-errors.ts';

/** When a client may come back that has waited in vain for the engines of a model to be known, ms. */
const UNKNOWN_RETRY_MS = 1000;

/** Requests name one of several models, or an alias. */
export class SeveralModelsRouting implements ModelRouting {
  readonly #fleet: ModelFleet;
  readonly #isStrict: boolean;
  readonly #timeoutMs: number;

  constructor(fleet: ModelFleet, { models, admission }: Pick<GatewayConfig, 'models' | 'admission'>) {
    this.#fleet = fleet;
    this.#isStrict = models.strict;
    this.#timeoutMs = admission.timeoutMs;
  }

  route(
    route: ApiRoute,
    client: RequestContext,
    body: Buffer,
    fields?: JsonObject,
  ): RoutedRequest | Promise<RoutedRequest> {
    return this.#find(route, client, body, fields) ?? this.#wait(route, client, body, fields);
  }

  /** The supervisor is about to report the models, or this one. */
  async #wait(
    route: ApiRoute,
    client: RequestContext,
    body: Buffer,
    fields: JsonObject | undefined,
  ): Promise<RoutedRequest> {
    const { signal } = client.controller;
    const ended = AbortSignal.any([toAbortSignal(signal), AbortSignal.timeout(this.#timeoutMs)]);
    for (;;) {
      await this.#fleet.nextChange(ended).catch(() => {
        throw signal.aborted ? abortError(signal.reason) : modelLoading(UNKNOWN_RETRY_MS);
      });
      const routed = this.#find(route, client, body, fields);
      if (routed !== undefined) return routed;
    }
  }

  /** Undefined if the model has no engine yet. */
  #find(
    route: ApiRoute,
    { incoming: { headers }, key, session }: RequestContext,
    body: Buffer,
    parsed: JsonObject | undefined,
  ): RoutedRequest | undefined {
    if (!this.#fleet.isKnown) return undefined;
    const isForm = headers['content-type']?.startsWith('multipart/form-data') ?? false;
    const read = isForm
      ? { body: undefined, fields: { model: readFormField(body, 'model') } }
      : readFields(body, parsed);
    const { fields } = read;
    const requested = readModel(fields);
    const alias = requested === undefined ? undefined : this.#fleet.alias(requested);
    const identify = () =>
      identifyConversation(session ?? readSession(headers), fields, key?.id, route.shape);
    const conversation = alias && identify();
    const id =
      alias === undefined || conversation === undefined
        ? this.#idOf(requested, route, key)
        : alias.choose(conversation, (target) => this.#mayUse(key, target));
    if (id === undefined || !this.#mayUse(key, id)) throw modelNotAllowed(requested ?? '');
    const named = findAdapter(this.#fleet.registry.models, id);
    const model = this.#fleet.find(named?.model ?? id);
    if (model === undefined) return undefined;
    checkKind(model.record, route);
    // Only a model with several engines has a choice.
    const isSticky = model.engines.length > 1;
    return {
      model: named === undefined ? model : new AdaptedModel(model, named.adapter),
      ...(isForm ? { body: undefined, fields: undefined } : withDefaults(read, body, model.record, route)),
      alias: alias?.name,
      conversation: isSticky ? (conversation ?? identify()) : undefined,
    };
  }

  #idOf(requested: string | undefined, route: ApiRoute, key: Key | undefined): string {
    const { models } = this.#fleet.registry;
    const [only, ...others] = models;
    const isFree = only !== undefined && others.length === 0 && !this.#isStrict;
    if (requested === undefined) return this.#defaultFor(route, key);
    if (models.some(({ id }) => id === requested) || findAdapter(models, requested)) return requested;
    if (isFree && !isAdapterName(only, requested)) return only.id;
    throw modelNotFound(requested);
  }

  #mayUse(key: Key | undefined, id: string): boolean {
    const named = findAdapter(this.#fleet.registry.models, id);
    return named === undefined ? mayUse(key, id) : mayUseAdapter(key, named.model, named.adapter);
  }

  /** Clients of a route may leave the name out if there is one model that answers it. */
  #defaultFor(route: ApiRoute, key: Key | undefined): string {
    const kind = neededKind(route) ?? 'chat';
    const candidates = this.#fleet.registry.models.filter(
      (model) => model.kind === kind && mayUse(key, model.id),
    );
    const [only, ...others] = candidates;
    if (only !== undefined && others.length === 0) return only.id;
    throw invalidValue('model', 'the name of a model; GET /v1/models lists them');
  }
}

/** `body` is undefined if it is used as it came. */
interface ReadBody {
  readonly body: Buffer | undefined;
  readonly fields: JsonObject;
}

function readFields(body: Buffer, parsed: JsonObject | undefined): ReadBody {
  if (parsed !== undefined) return { body: undefined, fields: parsed };
  const text = decodeBody(body);
  const sound = replaceLoneSurrogates(text);
  return { body: sound === text ? undefined : Buffer.from(sound), fields: parseBody(sound) };
}

function readModel({ model }: JsonObject): string | undefined {
  if (model === undefined || model === null) return undefined;
  if (typeof model !== 'string') throw invalidValue('model', 'a string', model);
  return model;
}

const mayUse = (key: Key | undefined, model: string) =>
  key === undefined || key.models.includes('*') || key.models.includes(model);

/** An unknown adapter never means the model itself: its answers would look right, and be wrong. */
const isAdapterName = ({ id, adapters }: ModelRecord, name: string) =>
  adapters.length > 0 && name.startsWith(`${id}:`);

/** Undefined for routes that any model answers. */
function neededKind({ upstream }: ApiRoute): ModelKind | undefined {
  if (upstream === '/tokenize' || upstream === '/detokenize') return undefined;
  if (upstream === '/v1/embeddings') return 'embeddings';
  return upstream === '/v1/rerank' ? 'rerank' : 'chat';
}

function checkKind({ id, kind }: ModelRecord, route: ApiRoute): void {
  const needed = neededKind(route);
  if (needed !== undefined && needed !== kind) throw modelKindMismatch(id, kind, needed);
}

/** Adds those that the client does not give. */
function withDefaults(read: ReadBody, body: Buffer, { defaults }: ModelRecord, route: ApiRoute): ReadBody {
  if (neededKind(route) === undefined) return read;
  const missing = missingDefaults(read.fields, defaults, route.dialect);
  if (missing === undefined) return read;
  return {
    body: appendFields(read.body ?? body, JSON.stringify(missing).slice(1, -1)),
    fields: { ...read.fields, ...missing },
  };
}
