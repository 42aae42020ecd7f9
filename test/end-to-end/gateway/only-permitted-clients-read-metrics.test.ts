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
  gone: { secret: secretOf('gone'), scopes: ['metrics'], disabled: true },
});

let backend: FakeBackend;
beforeAll(async () => {
  backend = await startFakeBackend((_, response) => void response.end('{}'));
});
afterAll(() => backend[Symbol.asyncDispose]());

type Seen = 'all' | 'no single keys' | number;

/** What each sees: nobody in particular, then those with a key. */
async function seenBy(env: Readonly<Record<string, string>>): Promise<Record<string, Seen>> {
  await using gateway = await startTestGateway({ backend: backend.backend, keys, env });
  const ask = (path: string, secret?: string) =>
    fetch(gateway.origin + path, { headers: secret === undefined ? {} : { 'x-api-key': secret } });
  await ask('/v1/models', secretOf('app'));
  const see = async (secret?: string): Promise<Seen> => {
    const answer = await ask('/metrics', secret);
    const text = await answer.text();
    if (answer.status !== 200) return answer.status;
    expect(text).toContain('corral_slots 4');
    return text.includes('corral_key_requests_total{key="app"}') ? 'all' : 'no single keys';
  };
  // The books are closed when the response is.
  if (env.AUTH_ENABLED !== 'false' && env.METRICS_AUTH_ENABLED !== 'false')
    await waitFor('the key to be counted', async () => (await see(secretOf('operator'))) === 'all');
  else
    await waitFor('the page', async () => (await see()) !== 'no single keys' || env.AUTH_ENABLED === 'false');
  const seen: Record<string, Seen> = { nobody: await see() };
  for (const id of ['app', 'prometheus', 'operator', 'gone', 'unknown']) seen[id] = await see(secretOf(id));
  return seen;
}

describe('/metrics', () => {
  it('is public without per-key metrics by default, and rejects an invalid key', async () => {
    expect(await seenBy({})).toEqual({
      nobody: 'no single keys',
      ...{ app: 403, prometheus: 'all', operator: 'all', gone: 401, unknown: 401 },
    });
  });

  it('requires a key with the metrics scope if METRICS_AUTH_ENABLED=true', async () => {
    expect(await seenBy({ METRICS_AUTH_ENABLED: 'true' })).toEqual({
      nobody: 401,
      ...{ app: 403, prometheus: 'all', operator: 'all', gone: 401, unknown: 401 },
    });
  });

  it('is public with per-key metrics if METRICS_AUTH_ENABLED=false', async () => {
    expect(await seenBy({ METRICS_AUTH_ENABLED: 'false' })).toEqual({
      nobody: 'all',
      ...{ app: 'all', prometheus: 'all', operator: 'all', gone: 'all', unknown: 'all' },
    });
  });

  it('is public if authentication is off', async () => {
    const seen = await seenBy({ AUTH_ENABLED: 'false', METRICS_AUTH_ENABLED: 'true' });
    expect(new Set(Object.values(seen))).toEqual(new Set(['no single keys']));
  });

  it('accepts only GET', async () => {
    await using gateway = await startTestGateway({ backend: backend.backend, keys });
    const answer = await fetch(`${gateway.origin}/metrics`, { method: 'POST' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET']);
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
