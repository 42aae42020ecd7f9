import { isIPv6 } from 'node:net';

/**
 * Under what an address is counted: IPv6 by its /64, which is what one subscriber has at the least; IPv4 as such,
 * however IPv6 carries it, or all of its clients would be one.
 */
export function addressGroup(address: string): string {
  if (!isIPv6(address)) return address;
  const groups = groupsOf(address);
  return carriedIPv4(groups) ?? `${groups.slice(0, 4).map(hex).join(':')}::/64`;
}

/** An address in its plain spelling: IPv4 where a socket of both families shows it as IPv6 (`::ffff:a.b.c.d`). */
export function normalizeAddress(address: string): string {
  if (!isIPv6(address)) return address;
  const groups = groupsOf(address);
  return begins(groups, mapped) ? dotted(groups, 6) : address;
}

/** The eight groups of a well-formed IPv6 address, without its zone. */
function groupsOf(address: string): number[] {
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

/** `::ffff:0:0/96`, of sockets that take both families. */
const mapped = [0, 0, 0, 0, 0, 0xffff];
/** Where translators put the IPv4 address of a client into the last 32 bits (RFC 2765 and 6052). */
const translated = [
  [0, 0, 0, 0, 0xffff, 0],
  [0x64, 0xff9b, 0, 0, 0, 0],
];
/** 6to4, where each IPv4 address has 65,536 networks (RFC 3056). */
const sixToFour = [0x2002];

function carriedIPv4(groups: readonly number[]): string | undefined {
  if ([mapped, ...translated].some((prefix) => begins(groups, prefix))) return dotted(groups, 6);
  return begins(groups, sixToFour) ? dotted(groups, 1) : undefined;
}

const begins = (groups: readonly number[], prefix: readonly number[]) =>
  prefix.every((group, at) => groups[at] === group);

function dotted(groups: readonly number[], at: number): string {
  const bytes = groups.slice(at, at + 2).flatMap((group) => [group >> 8, group & 0xff]);
  return bytes.join('.');
}

const hex = (group: number) => group.toString(16);
