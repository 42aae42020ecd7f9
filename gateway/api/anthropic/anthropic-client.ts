import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a client is to be answered in Anthropic's words: on its routes always, and where its SDKs, which tell their
 * version on each request, have come to a path that both APIs have, or to none.
 */
export function isAnthropicClient(path: string, headers: IncomingHttpHeaders): boolean {
  if (path === '/v1/messages' || path.startsWith('/v1/messages/')) return true;
  return headers['anthropic-version'] !== undefined && bothHave.test(path);
}

const bothHave = /^(?:\/v1)?\/models(?:\/|$)|\/messages(?:\/|$)/;
