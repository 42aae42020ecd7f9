import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';

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
  if (forwardedFor === undefined) return address;
  for (const named of forwardedFor.split(',').reverse()) {
    const previous = normalize(named.trim());
    if (!isTrusted(address) || isIP(previous) === 0) break;
    address = previous;
  }
  return address;
}

/** Without port and brackets, and with IPv4-mapped IPv6 as IPv4. */
function normalize(address: string): string {
  if (!address.includes(':')) return address;
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

/**
 * The group in which an address is counted: for IPv6 its /64, the least that one subscriber has; for IPv4 the address
 * itself, also where it is embedded in IPv6 (otherwise all IPv4 clients would share one group).
 */
export function addressGroup(address: string): string {
  if (!address.includes(':') || !isIPv6(address)) return address;
  const groups = parseGroups(address);
  return embeddedIPv4(groups) ?? `${groups.slice(0, 4).map(hex).join(':')}::/64`;
}

/** Turns an IPv4-mapped IPv6 address (`::ffff:a.b.c.d`), as dual-stack sockets report it, into IPv4. */
export function normalizeAddress(address: string): string {
  if (!address.includes(':') || !isIPv6(address)) return address;
  const groups = parseGroups(address);
  return startsWith(groups, mapped) ? dotted(groups, 6) : address;
}

/** The eight groups of a valid IPv6 address, without its zone. */
function parseGroups(address: string): number[] {
  const [plain = ''] = address.split('%');
  const [head = '', tail] = plain.split('::');
  const front = numbers(head);
  if (tail === undefined) return front;
  const back = numbers(tail);
  return [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back];
}

function numbers(groups: string): number[] {
  if (groups === '') return [];
  return groups.split(':').flatMap((group) => {
    if (!group.includes('.')) return Number.parseInt(group, 16);
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

/** `::ffff:0:0/96`, used by dual-stack sockets. */
const mapped = [0, 0, 0, 0, 0, 0xffff];
/** Prefixes of translators, which put the client's IPv4 address into the last 32 bits (RFC 2765 and 6052). */
const translated = [
  [0, 0, 0, 0, 0xffff, 0],
  [0x64, 0xff9b, 0, 0, 0, 0],
];
/** 6to4, where each IPv4 address has 65,536 networks (RFC 3056). */
const sixToFour = [0x2002];

function embeddedIPv4(groups: readonly number[]): string | undefined {
  if ([mapped, ...translated].some((prefix) => startsWith(groups, prefix))) return dotted(groups, 6);
  return startsWith(groups, sixToFour) ? dotted(groups, 1) : undefined;
}

const startsWith = (groups: readonly number[], prefix: readonly number[]) =>
  prefix.every((group, at) => groups[at] === group);

function dotted(groups: readonly number[], at: number): string {
  const bytes = groups.slice(at, at + 2).flatMap((group) => [group >> 8, group & 0xff]);
  return bytes.join('.');
}

const hex = (group: number) => group.toString(16);
