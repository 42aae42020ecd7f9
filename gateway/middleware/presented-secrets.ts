import type { IncomingHttpHeaders } from 'node:http';

/**
 * Every secret that a request shows, in the order of trust. `x-api-key` and `api-key` come first: where a platform's
 * edge takes `Authorization` for itself (RunPod), the client's key for us stands there.
 */
export function presentedSecrets(headers: IncomingHttpHeaders): string[] {
  const shown = [headers['x-api-key'], headers['api-key'], bearer(headers.authorization)];
  return shown.flatMap((secret) => (typeof secret === 'string' && secret !== '' ? readings(secret) : []));
}

const beyondAscii = /[\x80-\xff]/;

/**
 * What the bytes of a header say: Node reads them as Latin-1, as browsers write them; curl and most other programs write
 * UTF-8.
 */
function readings(secret: string): string[] {
  if (!beyondAscii.test(secret)) return [secret];
  const text = Buffer.from(secret, 'latin1').toString('utf8');
  return text.includes('\ufffd') ? [secret] : [text, secret];
}

/** `Bearer SECRET`, whatever its case, or the bare secret, which the ancestor's users send. */
function bearer(authorization: string | undefined): string | undefined {
  return authorization?.replace(/^bearer\s+/i, '').trim();
}
