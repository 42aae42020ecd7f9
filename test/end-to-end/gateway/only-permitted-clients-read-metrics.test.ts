import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const secretOf = (id: string) => `sk-${id}-0123456789abcdefghijklmnopqrstuvwxyz`;
const keys = keyFileText({
  app: { secret: secretOf('app') },
  prometheus: { secret: secretOf('prometheus'), scopes: ['metrics'] },
  operator: { secret: secretOf('operator'), scopes: ['admin'] },
  disabled: { secret: secretOf('disabled'), scopes: ['metrics'], disabled: true },
});

let backend: FakeBackend;
beforeAll(async () => {
  backend = await startFakeBackend((_, response) => void response.end('{}'));
});
afterAll(() => backend[Symbol.asyncDispose]());

type Visible = 'all' | 'all but per-key metrics' | number;

/** What each client sees: one without a key, then those with a key. */
async function visibleMetrics(env: Readonly<Record<string, string>>): Promise<Record<string, Visible>> {
  await using gateway = await startTestGateway({ backend: backend.backend, keys, env });
  const send = (path: string, secret?: string) =>
    fetch(gateway.origin + path, { headers: secret === undefined ? {} : { 'x-api-key': secret } });
  await send('/v1/models', secretOf('app'));
  const see = async (secret?: string): Promise<Visible> => {
    const response = await send('/metrics', secret);
    const text = await response.text();
    if (response.status !== 200) return response.status;
    expect(text).toContain('corral_slots 4');
    return text.includes('corral_key_requests_total{key="app"}') ? 'all' : 'all but per-key metrics';
  };
  // Usage is recorded when the response has closed.
  if (env.AUTH_ENABLED !== 'false' && env.METRICS_AUTH_ENABLED !== 'false')
    await waitFor('the key to be counted', async () => (await see(secretOf('operator'))) === 'all');
  else
    await waitFor(
      'the page',
      async () => (await see()) !== 'all but per-key metrics' || env.AUTH_ENABLED === 'false',
    );
  const seen: Record<string, Visible> = { none: await see() };
  for (const id of ['app', 'prometheus', 'operator', 'disabled', 'unknown'])
    seen[id] = await see(secretOf(id));
  return seen;
}

describe('/metrics', () => {
  it('is public without per-key metrics by default, and rejects an invalid key', async () => {
    expect(await visibleMetrics({})).toEqual({
      none: 'all but per-key metrics',
      ...{ app: 403, prometheus: 'all', operator: 'all', disabled: 401, unknown: 401 },
    });
  });

  it('requires a key with the metrics scope if METRICS_AUTH_ENABLED=true', async () => {
    expect(await visibleMetrics({ METRICS_AUTH_ENABLED: 'true' })).toEqual({
      none: 401,
      ...{ app: 403, prometheus: 'all', operator: 'all', disabled: 401, unknown: 401 },
    });
  });

  it('is public with per-key metrics if METRICS_AUTH_ENABLED=false', async () => {
    expect(await visibleMetrics({ METRICS_AUTH_ENABLED: 'false' })).toEqual({
      none: 'all',
      ...{ app: 'all', prometheus: 'all', operator: 'all', disabled: 'all', unknown: 'all' },
    });
  });

  it('is public if authentication is off', async () => {
    const seen = await visibleMetrics({ AUTH_ENABLED: 'false', METRICS_AUTH_ENABLED: 'true' });
    expect(new Set(Object.values(seen))).toEqual(new Set(['all but per-key metrics']));
  });

  it('accepts only GET', async () => {
    await using gateway = await startTestGateway({ backend: backend.backend, keys });
    const response = await fetch(`${gateway.origin}/metrics`, { method: 'POST' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET']);
  });

  it('lists up to METRICS_MAX_KEYS keys and counts all others together', async () => {
    const env = { METRICS_AUTH_ENABLED: 'false', METRICS_MAX_KEYS: '2' };
    const all = Object.fromEntries(['a', 'b', 'c', 'd'].map((id) => [id, { secret: secretOf(id) }]));
    await using gateway = await startTestGateway({ backend: backend.backend, keys: keyFileText(all), env });
    for (const id of ['a', 'b', 'c', 'd', 'd']) {
      await fetch(`${gateway.origin}/v1/models`, { headers: { 'x-api-key': secretOf(id) } });
    }
    const lines = await waitFor('all to be counted', async () => {
      const text = await (await fetch(`${gateway.origin}/metrics`)).text();
      const found = text.match(/^corral_key_requests_total\{.*$/gm) ?? [];
      return found.some((line) => line.endsWith(' 3')) && found;
    });
    expect(lines).toEqual([
      'corral_key_requests_total{key="a"} 1',
      'corral_key_requests_total{key="b"} 1',
      'corral_key_requests_total{key="other"} 3',
    ]);
  });
});
