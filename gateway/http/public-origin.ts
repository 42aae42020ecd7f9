import type { IncomingMessage } from 'node:http';
import type { IsTrustedProxy } from './client-address.ts';

/** As what the client sees us: what it dialled, before the proxies that we trust. */
export interface PublicOrigin {
  readonly scheme: 'http' | 'https';
  /** Host and port; undefined where the request names none. */
  readonly host: string | undefined;
}

/** A trusted proxy's `X-Forwarded-Proto` and `X-Forwarded-Host` are believed, nobody else's. */
export function getPublicOrigin(
  { socket, headers }: IncomingMessage,
  isTrusted: IsTrustedProxy,
): PublicOrigin {
  const believed = isTrusted((socket.remoteAddress ?? '').replace(/^::ffff:(?=[\d.]+$)/i, ''));
  const forwarded = (name: string) => (believed ? first(headers[name]?.toString()) : undefined);
  return {
    scheme: forwarded('x-forwarded-proto')?.toLowerCase() === 'https' ? 'https' : 'http',
    host: forwarded('x-forwarded-host') ?? headers.host,
  };
}

const first = (list: string | undefined) => list?.split(',', 1)[0]?.trim() || undefined;
