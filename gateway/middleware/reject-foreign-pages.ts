import { foreignPage } from '../errors/catalogue.ts';
import { getPublicOrigin, type IsTrustedProxy } from '../http/client-address.ts';
import { isCrossSite } from '../http/same-origin.ts';
import type { RequestContext } from '../proxy/request-context.ts';
import { ALLOW_ORIGIN } from './cors.ts';

/**
 * Where no key is needed, any page that is open in a browser of this network could use the model. A browser asks (CORS) before it
 * sends JSON for a page of another site, or any method but GET and POST; bodies of no type and forms it sends at once. To be called
 * after `allowOrigins`.
 */
export function rejectForeignPages({ incoming, response }: RequestContext, isTrusted: IsTrustedProxy): void {
  const { method, headers } = incoming;
  if (method !== 'POST' || isJson.test(headers['content-type'] ?? '') || response.hasHeader(ALLOW_ORIGIN))
    return;
  if (isCrossSite(headers, getPublicOrigin(incoming, isTrusted).host)) throw foreignPage();
}

const isJson = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;
