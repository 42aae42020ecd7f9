import type { JSONWebKeySet, JWK } from 'jose';
import * as z from 'zod';

/** For the discovery document and the keys together. */
const TIMEOUT_MS = 5000;
/** Large issuers have some dozen keys, each of 2 KB. */
const MAX_BYTES = 512 * 1024;
const MAX_KEYS = 100;

const discovery = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });
const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string(), use: z.string().optional() })) });

/**
 * The public keys of an issuer, found by its discovery document. Rejects with an error whose message completes "the keys
 * cannot be read: …". Whatever the issuer sends, it costs at most 5 s and 1 MiB.
 */
export async function fetchIssuerKeys(issuer: string, stopped?: AbortSignal): Promise<JSONWebKeySet> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const signal = stopped === undefined ? timeout : AbortSignal.any([timeout, stopped]);
  const { jwks_uri: place } = await fetchDiscovery(issuer, signal);
  const shown = place.slice(0, 200);
  const found = keySet.safeParse(await fetchJson(place, signal));
  if (!found.success) throw new Error(`${shown} is not a set of keys (JWKS)`);
  const { keys } = found.data;
  if (keys.length > MAX_KEYS)
    throw new Error(`${shown} has ${keys.length} keys; at most ${MAX_KEYS} are read`);
  const usable = keys.filter(({ kty, use }) => ['RSA', 'EC', 'OKP'].includes(kty) && use !== 'enc');
  if (usable.length === 0) throw new Error(`${shown} has no public key for signatures`);
  return { keys: usable as JWK[] };
}

async function fetchDiscovery(issuer: string, signal: AbortSignal) {
  const place = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const found = discovery.safeParse(await fetchJson(place, signal));
  if (!found.success) throw new Error(`${place} is not a discovery document`);
  const { data } = found;
  if (data.issuer !== issuer)
    throw new Error(
      `${place} names the issuer ${JSON.stringify(data.issuer.slice(0, 200))}: set OIDC_ISSUER to exactly that`,
    );
  if (issuer.startsWith('https:') && !data.jwks_uri.startsWith('https:'))
    throw new Error(`${place} names keys at an http:// address`);
  return data;
}

/** Without redirects: an issuer is named by its address. */
async function fetchJson(place: string, signal: AbortSignal): Promise<unknown> {
  try {
    const headers = { accept: 'application/json' };
    const response = await fetch(place, { headers, signal, redirect: 'manual' });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`responds with ${response.status}`);
    }
    return JSON.parse(await readText(response));
  } catch (error) {
    throw new Error(`${place.slice(0, 200)} ${explain(error as Error)}`);
  }
}

async function readText({ body }: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body ?? []) {
    bytes += piece.length;
    if (bytes > MAX_BYTES) throw new Error(`sends more than ${MAX_BYTES} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

/** V8 quotes the text in its messages; it is not ours to log. */
function explain(error: Error): string {
  if (error instanceof SyntaxError) return 'is not valid JSON';
  if (error.name === 'TimeoutError') return `does not respond completely within ${TIMEOUT_MS / 1000} s`;
  const { cause } = error;
  if (cause === undefined) return error.message;
  return `cannot be reached (${(cause as NodeJS.ErrnoException).code ?? (cause as Error).message})`;
}
