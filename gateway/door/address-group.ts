import { isIPv6 } from 'node:net';

/** Under what an address is counted: IPv6 by its /64, which is what one subscriber has at the least. */
export function addressGroup(address: string): string {
  return isIPv6(address) ? `${firstFourGroups(address).join(':')}::/64` : address;
}

function firstFourGroups(address: string): string[] {
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const behind = tail === '' ? 0 : tail.split(':').length + (tail.includes('.') ? 1 : 0);
    groups.push(...new Array(8 - groups.length - behind).fill('0'), ...tail.split(':'));
  }
  return groups.slice(0, 4).map((group) => Number.parseInt(group || '0', 16).toString(16));
}
