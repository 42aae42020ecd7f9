import type { ApiRoute } from '../api/route-table.ts';
import { ApiError } from '../errors/api-error.ts';
import type { Refund } from '../limits/rates.ts';
import { type Authenticator, authenticate } from '../middleware/authenticate.ts';
import { respondWithError } from '../middleware/handle-error.ts';
import { type DailyUsage, limitDailyTokens } from '../middleware/request-limits.ts';
import { handleApiRequest } from '../proxy/handle-api-request.ts';
import type { ProxyServices } from '../proxy/proxy-context.ts';
import type { RequestContext } from '../proxy/request-context.ts';

export interface ApiServices extends ProxyServices {
  readonly authenticator: Authenticator;
  readonly ledger: DailyUsage;
}

/** Handles one request and never rejects: an error becomes the response. */
export type ApiHandler = (context: RequestContext) => Promise<void>;

const TOO_MANY_REQUESTS = 429;

/**
 * Handles the requests of one route of the API table: authentication, limits, proxy.
 *
 * A request counts towards the requests per minute of its key before its body is read, so that a rejection costs next to
 * nothing; one that another limit of the key rejects later is not counted. Token counting has a counter of its own
 * (`counts`), as agents send dozens of such requests before the first one that generates.
 *
 * Lines of batches do not count: they use idle slots only, and would leave nothing for other requests of their key. A
 * background response has counted when it was created.
 *
 * `checkFirst`: what the middleware of Hono does for a request that does not pass it.
 */
export function handleApiRoute(
  route: ApiRoute,
  services: ApiServices,
  checkFirst?: (context: RequestContext) => void,
): ApiHandler {
  const checkKey = authenticate(services.authenticator, route.scope);
  const checkBudget = limitDailyTokens(services.ledger);
  const unit = route.takesSlot ? 'requests' : 'counts';
  const { rateLimits } = services;
  return async function handle(context) {
    let refund: Refund | undefined;
    let isCounted = false;
    try {
      checkFirst?.(context);
      const checking = checkKey(context);
      if (checking !== undefined) await checking;
      if (!context.isBatch && context.background === undefined) {
        isCounted = true;
        const counting = rateLimits.countRequest(context, unit);
        refund = counting instanceof Promise ? await counting : counting;
      }
      // All others set them when they reserve their tokens.
      if (!route.takesSlot) await rateLimits.setTokenHeaders(context);
      const budgeting = checkBudget(context);
      if (budgeting !== undefined) await budgeting;
      await handleApiRequest(route, services, context);
    } catch (error) {
      if (error instanceof ApiError && error.status === TOO_MANY_REQUESTS) refund?.();
      if (isCounted) await rateLimits.setTokenHeaders(context);
      respondWithError(context, error);
    }
  };
}
