import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addressGroup,
  clientAddress,
  createProxyMatcher,
  getPublicOrigin,
  normalizeAddress,
} from './client-address.ts';

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
  ])('connected from %s and forwarded for %s is %s', (peer, forwardedFor, address) => {
    expect(clientAddress(peer, forwardedFor, trusted)).toBe(address);
  });

  it('is that of the connection if no proxy is trusted', () => {
    expect(clientAddress('127.0.0.1', '198.51.100.1', createProxyMatcher([]))).toBe('127.0.0.1');
  });
});

const server = createServer((incoming, response) => {
  const isTrusted = createProxyMatcher(incoming.url === '/trusted' ? ['127.0.0.1'] : []);
  response.end(JSON.stringify(getPublicOrigin(incoming, isTrusted)));
});
let port = 0;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => void server.close());

const request = async (path: string, headers: Record<string, string> = {}) =>
  (await fetch(`http://127.0.0.1:${port}${path}`, { headers })).json();

const forwarded = { 'x-forwarded-proto': 'HTTPS, http', 'x-forwarded-host': 'llm.example, inner' };

it('takes the public origin from the headers of a trusted proxy', async () => {
  expect(await request('/trusted', forwarded)).toEqual({ scheme: 'https', host: 'llm.example' });
  expect(await request('/trusted')).toEqual({ scheme: 'http', host: `127.0.0.1:${port}` });
});

it('ignores the headers of everybody else', async () => {
  expect(await request('/', forwarded)).toEqual({ scheme: 'http', host: `127.0.0.1:${port}` });
});

it.each([
  ['203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:db8:1:2:3::', '2001:db8:1:2::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['::2:3:4:5:6:7:8', '0:2:3:4::/64'],
  ['1::3:4:5:6:7:8', '1:0:3:4::/64'],
  ['1:2:3::5:6:192.0.2.1', '1:2:3:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['fe80::1%a:b::c', 'fe80:0:0:0::/64'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['::FFFF:203.0.113.7', '203.0.113.7'],
  ['::ffff:cb00:7107', '203.0.113.7'],
  ['0:0:0:0:0:ffff:203.0.113.7', '203.0.113.7'],
  ['0000:0000:0000:0000:0000:FFFF:CB00:7107', '203.0.113.7'],
  ['::ffff:203.0.113.7%eth0', '203.0.113.7'],
  ['::ffff:0:203.0.113.7', '203.0.113.7'],
  ['::ffff:0:0', '0.0.0.0'],
  ['64:ff9b::192.0.2.1', '192.0.2.1'],
  ['64:FF9B::C000:201', '192.0.2.1'],
  ['64:ff9b:1::192.0.2.1', '64:ff9b:1:0::/64'],
  ['2002:cb00:7107:1::5', '203.0.113.7'],
  ['2002:cb00:7107:ffff::5', '203.0.113.7'],
  ['::203.0.113.7', '0:0:0:0::/64'],
  ['', ''],
  ['/run/corral.sock', '/run/corral.sock'],
])('%s is counted as %s', (address, group) => {
  expect(addressGroup(address)).toBe(group);
});

it.each([
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['::FFFF:cb00:7107', '203.0.113.7'],
  // A translated address is not changed: only the /64 counting treats it as IPv4.
  ['64:ff9b::192.0.2.1', '64:ff9b::192.0.2.1'],
  ['2001:db8::1', '2001:db8::1'],
  ['203.0.113.7', '203.0.113.7'],
  ['unknown', 'unknown'],
])('%s is normalized to %s', (address, plain) => {
  expect(normalizeAddress(address)).toBe(plain);
});
