import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createProxyMatcher } from './client-address.ts';
import { getPublicOrigin } from './public-origin.ts';

const server = createServer((request, response) => {
  const trusted = createProxyMatcher(request.url === '/trusted' ? ['127.0.0.1'] : []);
  response.end(JSON.stringify(getPublicOrigin(request, trusted)));
});
let port = 0;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => void server.close());

const ask = async (path: string, headers: Record<string, string> = {}) =>
  (await fetch(`http://127.0.0.1:${port}${path}`, { headers })).json();

const forwarded = { 'x-forwarded-proto': 'HTTPS, http', 'x-forwarded-host': 'llm.example, inner' };

it('believes a trusted proxy how a client sees us', async () => {
  expect(await ask('/trusted', forwarded)).toEqual({ scheme: 'https', host: 'llm.example' });
  expect(await ask('/trusted')).toEqual({ scheme: 'http', host: `127.0.0.1:${port}` });
});

it('believes nobody else', async () => {
  expect(await ask('/', forwarded)).toEqual({ scheme: 'http', host: `127.0.0.1:${port}` });
});
