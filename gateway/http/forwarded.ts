import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { normalizeAddress } from './address-group.ts';

/** Whether an address belongs to a trusted proxy, whose X-Forwarded headers are used. */
export type IsTrustedProxy = (address: string) => boolean;

/** `networks` are valid addresses and CIDR blocks. */
export function createProxyMatcher(networks: readonly string[]): IsTrustedProxy {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    if (prefix === undefined) list.addAddress(address, getFamily(address));
    else list.addSubnet(address, Number(prefix), getFamily(address));
  }
  return (address) => isIP(address) !== 0 && list.check(address, getFamily(address));
}

const getFamily = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/**
 * The client's address: that of the connection, or, behind a trusted proxy, the one in `X-Forwarded-For`. The list is
 * read from the right, where each proxy appends its peer; entries left of the first untrusted address may be forged.
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  isTrusted: IsTrustedProxy,
): string {
  let address = normalize(peer ?? '');
  for (const named of (forwardedFor ?? '').split(',').reverse()) {
    const previous = normalize(named.trim());
    if (!isTrusted(address) || isIP(previous) === 0) break;
    address = previous;
  }
  return address;
}

/** Without port and brackets, and with IPv4-mapped IPv6 as IPv4. */
function normalize(address: string): string {
  const bare = /^\[(.*)\](?::\d+)?$/.exec(address)?.[1] ?? /^([\d.]+):\d+$/.exec(address)?.[1] ?? address;
  return normalizeAddress(bare);
}

/** The scheme and host under which the client reached us, in front of all trusted proxies. */
export interface PublicOrigin {
  readonly scheme: 'http' | 'https';
  /** Host and port; undefined where the request has none. */
  readonly host: string | undefined;
}

/** Uses `X-Forwarded-Proto` and `X-Forwarded-Host` of trusted proxies only. */
export function getPublicOrigin(
  { socket, headers }: IncomingMessage,
  isTrusted: IsTrustedProxy,
): PublicOrigin {
  const isProxy = isTrusted((socket.remoteAddress ?? '').replace(/^::ffff:(?=[\d.]+$)/i, ''));
  const forwarded = (name: string) => (isProxy ? first(headers[name]?.toString()) : undefined);
  return {
    scheme: forwarded('x-forwarded-proto')?.toLowerCase() === 'https' ? 'https' : 'http',
    host: forwarded('x-forwarded-host') ?? headers.host,
  };
}

const first = (list: string | undefined) => list?.split(',', 1)[0]?.trim() || undefined;
