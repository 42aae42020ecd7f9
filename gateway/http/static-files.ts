import { hash } from 'node:crypto';
import type { Context } from 'hono';

/**
 * Security headers of all pages and their files: no inline or foreign scripts and styles, and no framing. uPlot sets its
 * styles through the DOM, which the policy allows.
 */
export const pageHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

export interface StaticFile {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly type: string;
  readonly etag: string;
}

export function createStaticFile(body: Uint8Array<ArrayBuffer>, type: string): StaticFile {
  return { body, type, etag: `"${hash('sha256', body).slice(0, 20)}"` };
}

/** Responds with 304 if the client has this file already. */
export function sendStaticFile(
  c: Context,
  { body, type, etag }: StaticFile,
  headers: Readonly<Record<string, string>>,
) {
  if (clientHas(c.req.header('if-none-match'), etag)) return c.body(null, 304, { ...headers, etag });
  return c.body(body, 200, { ...headers, etag, 'content-type': type });
}

/** Whether the client has the content with this tag, as its header `If-None-Match` says. */
export const clientHas = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch !== undefined && (ifNoneMatch.trim() === '*' || ifNoneMatch.includes(etag));
