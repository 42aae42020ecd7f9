import { BlockList, isIP } from 'node:net';
import { normalizeAddress } from './address-group.ts';

/** Whether an address belongs to a proxy whose word is believed. */
export type IsTrustedProxy = (address: string) => boolean;

/** Addresses and CIDR blocks, well-formed. */
export function createProxyMatcher(networks: readonly string[]): IsTrustedProxy {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    if (prefix === undefined) list.addAddress(address, familyOf(address));
    else list.addSubnet(address, Number(prefix), familyOf(address));
  }
  return (address) => isIP(address) !== 0 && list.check(address, familyOf(address));
}

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/**
 * Who asks: the peer of the connection, or, where that is a trusted proxy, whom it names in `X-Forwarded-For`. The list
 * is read from its right end, where each proxy adds whom it saw; what stands left of the first stranger is hearsay.
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  isTrusted: IsTrustedProxy,
): string {
  let address = plain(peer ?? '');
  for (const named of (forwardedFor ?? '').split(',').reverse()) {
    const before = plain(named.trim());
    if (!isTrusted(address) || isIP(before) === 0) break;
    address = before;
  }
  return address;
}

/** Without a port, without brackets, and IPv4 as such where it comes dressed as IPv6. */
function plain(address: string): string {
  const bare = /^\[(.*)\](?::\d+)?$/.exec(address)?.[1] ?? /^([\d.]+):\d+$/.exec(address)?.[1] ?? address;
  return normalizeAddress(bare);
}
