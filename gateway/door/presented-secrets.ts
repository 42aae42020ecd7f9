import type { IncomingHttpHeaders } from 'node:http';

/**
 * Every secret that a request shows, in the order of trust. `x-api-key` and `api-key` come first: where a platform's
 * edge takes `Authorization` for itself (RunPod), the client's key for us stands there.
 */
export function presentedSecrets(headers: IncomingHttpHeaders): string[] {
  const shown = [headers['x-api-key'], headers['api-key'], bearer(headers.authorization)];
  return shown.filter((secret) => typeof secret === 'string' && secret !== '') as string[];
}

/** `Bearer SECRET`, whatever its case, or the bare secret, which the ancestor's users send. */
function bearer(authorization: string | undefined): string | undefined {
  return authorization?.replace(/^bearer\s+/i, '').trim();
}
