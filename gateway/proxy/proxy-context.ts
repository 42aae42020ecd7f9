import type { IncomingMessage } from 'node:http';
import type { ApiRequest } from '../api/request/parse-request-body.ts';
import type { ResponseRewriter, StreamFormatter } from '../api/response-format.ts';
import type { ApiRoute } from '../api/route-table.ts';
import type { CancelSignal } from '../cancellation.ts';
import type { GatewayConfig } from '../config.ts';
import type { EngineServices } from '../engines/engine-services.ts';
import type { RequestedModel } from '../engines/requested-model.ts';
import type { ClientResponse } from '../http/client-response.ts';
import type { RateLimits } from '../limits/rate-limits.ts';
import type { ResponseCache } from '../response-cache/response-cache.ts';
import type { KeepAlive } from '../upstream/keep-alive.ts';
import type { BodyBudget } from './body-budget.ts';
import type { LiveRequests } from './live-requests.ts';
import type { ModelRouting } from './model-routing.ts';
import type { RequestRecord } from './request-record.ts';
import type { BegunResponse, ResponseStates } from './response-states.ts';

/** What all requests share. */
export interface ProxyServices {
  readonly config: GatewayConfig;
  readonly routing: ModelRouting;
  readonly liveRequests: LiveRequests;
  readonly bodyBudget: BodyBudget;
  readonly rateLimits: RateLimits;
  /** Undefined unless `STORE=on`. */
  readonly responseStates: ResponseStates | undefined;
  /** Undefined unless responses are cached. */
  readonly responseCache: ResponseCache | undefined;
  /** Aborts when the gateway ends and breaks off all requests. */
  readonly shutdown: AbortSignal;
}

/** One request on its way to the backend, over as many attempts as it takes. */
export interface ProxyContext {
  readonly route: ApiRoute;
  readonly services: ProxyServices;
  readonly model: RequestedModel;
  /** Identifies the conversation that it continues; undefined if that makes no difference. */
  readonly conversation: string | undefined;
  /** That of the current attempt: each one may choose another. */
  engine: EngineServices;
  /** Shortened, if its prompt does not fit the context. */
  request: ApiRequest;
  /** A line of a batch: it runs on idle slots and gives them back. */
  readonly isBatch: boolean;
  /** Aborts when the client disconnects or the request is cancelled. */
  readonly signal: CancelSignal;
  readonly record: RequestRecord;
  readonly keepAlive: KeepAlive | undefined;
  readonly formatter: StreamFormatter;
  /** Undefined if responses pass unchanged. */
  readonly rewriter: ResponseRewriter | undefined;
  /** What an earlier request has got of the response, if this one is to continue it. */
  readonly sent: BegunResponse | undefined;
  /** The runner has asked for a background response: if it does not get all of it, it asks again. */
  readonly isBackground: boolean;
  readonly incoming: IncomingMessage;
  readonly response: ClientResponse;
  /** The name of the requested model; throws an ApiError if the key may not use it. */
  readonly modelName: () => string;
}
