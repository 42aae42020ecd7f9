import type { JsonObject } from '../../json/json-object.ts';
import type { ApiRoute } from '../api/route-table.ts';
import type { RequestedModel } from '../engines/requested-model.ts';
import type { RequestContext } from './request-context.ts';

/** Which model a request is for. */
export interface RoutedRequest {
  readonly model: RequestedModel;
  /** With the defaults of the model and without lone surrogates; undefined if the body is used as it came. */
  readonly body: Buffer | undefined;
  /** What the body to use contains; undefined if it was not parsed. */
  readonly fields: JsonObject | undefined;
  /** The alias by which it was selected. */
  readonly alias: string | undefined;
  /** Identifies the conversation that it continues; undefined if that makes no difference. */
  readonly conversation: string | undefined;
}

/** Finds the model of a request, before anything else is read from its body. */
export interface ModelRouting {
  /**
   * A promise while it is not known which engines the model has. Throws an ApiError, or rejects with it, if there is no such
   * model, it is of another kind, or the key may not use it. `fields`: those of the body, if it was parsed and has no lone
   * surrogates.
   */
  route(
    route: ApiRoute,
    client: RequestContext,
    body: Buffer,
    fields?: JsonObject,
  ): RoutedRequest | Promise<RoutedRequest>;
}

/** All requests are for one model. */
export function routeToOnly(model: RequestedModel): ModelRouting {
  const routed = { model, body: undefined, fields: undefined, alias: undefined, conversation: undefined };
  return { route: () => routed };
}
