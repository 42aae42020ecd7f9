import type { JsonObject } from '../../json/json-object.ts';
import type { EchoedFields } from '../api/responses/echoed-fields.ts';
import type { SaveResponse } from '../api/responses/storing-rewriter.ts';
import type { SentEvents } from '../api/responses/stream-state.ts';
import type { ApiRoute } from '../api/route-table.ts';
import type { RequestContext } from './request-context.ts';

/**
 * The state that requests of the Responses API name: earlier responses, conversations, stored items. Given by the root of the
 * gateway only with `STORE=on`; the implementation is in `gateway/routes/responses/`.
 */
export interface ResponseStates {
  /**
   * Called once for each request to /v1/responses, and to its counting route, as soon as its body is there, before its model is
   * known. Undefined for all other routes. Throws the ApiError of a request whose state is not found, is in use or cannot be kept.
   */
  begin(route: ApiRoute, client: RequestContext, body: Buffer): StatefulRequest | undefined;
}

/**
 * One request of the Responses API with everything that it names. Its response is sent under `id` from the first event on,
 * whichever engine writes it, and however many.
 *
 * The runner's request for a background response is one of these as well: `id`, `createdAt`, fields and history come from the
 * store, and it has no `save`, as the runner ends the response itself.
 */
export interface StatefulRequest extends Disposable {
  /** The request with the history in place of the ids that name it: the engine, and all checks, see nothing else. */
  readonly body: Buffer;
  /** The same, parsed. */
  readonly fields: JsonObject;
  readonly id: string;
  /** Unix time, seconds. */
  readonly createdAt: number;
  /** Fields of the response about its state. */
  readonly echoed: JsonObject;
  /** Called before the client learns that its response is complete. Undefined for one that is not to be kept. */
  readonly save: SaveResponse | undefined;
  /** Only for the runner: what it has got of the response before. */
  readonly sent?: SentStream | undefined;
  /**
   * Set if the response is to be generated in the background: creates it and responds to the client. To be called when all
   * checks have passed, and before tokens are reserved. `model` is the name of the model that will answer.
   */
  readonly createInBackground?: ((model: string, echoed: EchoedFields) => Promise<void>) | undefined;
}

/** The events of a response so far. */
export interface SentStream extends SentEvents {
  /** Undefined if they only announce the response. */
  readonly begun: BegunResponse | undefined;
}

/** What another request has got of a response. */
export interface BegunResponse {
  /** The events as they were sent. */
  readonly events: Buffer;
  /** The name of the model that they are from. */
  readonly model: unknown;
}
