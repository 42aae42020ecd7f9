import { isIPv6 } from 'node:net';

/**
 * The group in which an address is counted: for IPv6 its /64, the least that one subscriber has; for IPv4 the address
 * itself, also where it is embedded in IPv6 (otherwise all IPv4 clients would share one group).
 */
export function addressGroup(address: string): string {
  if (!isIPv6(address)) return address;
  const groups = parseGroups(address);
  return embeddedIPv4(groups) ?? `${groups.slice(0, 4).map(hex).join(':')}::/64`;
}

/** Turns an IPv4-mapped IPv6 address (`::ffff:a.b.c.d`), as dual-stack sockets report it, into IPv4. */
export function normalizeAddress(address: string): string {
  if (!isIPv6(address)) return address;
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
