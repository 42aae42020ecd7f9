import { describe, expect, it } from 'vitest';
import { clientAddress, createProxyMatcher } from './client-address.ts';

const trusted = createProxyMatcher(['10.0.0.0/8', '192.0.2.1', 'fd00::/8']);

describe('the address of a client', () => {
  it.each([
    ['203.0.113.7', undefined, '203.0.113.7'],
    ['::ffff:203.0.113.7', undefined, '203.0.113.7'],
    [undefined, '203.0.113.7', ''],
    ['203.0.113.7', '198.51.100.1', '203.0.113.7'],
    ['10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['::ffff:10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['192.0.2.1', '198.51.100.1', '198.51.100.1'],
    ['192.0.2.2', '198.51.100.1', '192.0.2.2'],
    ['fd00::1', '2001:db8::1', '2001:db8::1'],
    ['10.0.0.1', '6.6.6.6, 198.51.100.1', '198.51.100.1'],
    ['10.0.0.1', '6.6.6.6,198.51.100.1 , 10.0.0.2', '198.51.100.1'],
    ['10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['10.0.0.1', undefined, '10.0.0.1'],
    ['10.0.0.1', '', '10.0.0.1'],
    ['10.0.0.1', '198.51.100.1, unknown', '10.0.0.1'],
    ['10.0.0.1', '198.51.100.1:4711', '198.51.100.1'],
    ['10.0.0.1', '[2001:db8::1]:4711', '2001:db8::1'],
    ['10.0.0.1', '::ffff:198.51.100.1', '198.51.100.1'],
    ['::ffff:a00:1', '[::ffff:c633:6401]:4711', '198.51.100.1'],
  ])('whose peer is %s, forwarded for %s, is %s', (peer, forwardedFor, address) => {
    expect(clientAddress(peer, forwardedFor, trusted)).toBe(address);
  });

  it('is the peer for whom no proxy is trusted', () => {
    expect(clientAddress('127.0.0.1', '198.51.100.1', createProxyMatcher([]))).toBe('127.0.0.1');
  });
});
