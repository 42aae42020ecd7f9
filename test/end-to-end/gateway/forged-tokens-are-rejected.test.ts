import { createHmac, generateKeyPairSync } from 'node:crypto';
import { exportSPKI, importJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TokenVerifier } from '../../../gateway/oidc/token-verifier.ts';
import { audience, type FakeIssuer } from '../../fakes/start-fake-issuer.ts';
import { type TestGateway, testerSecret } from '../../harness/start-gateway.ts';
import { startTokenGateway, type TokenGateway } from '../../harness/start-token-gateway.ts';

let gateway: TokenGateway;
let issuer: FakeIssuer;
let corral: TestGateway;
beforeAll(async () => {
  gateway = await startTokenGateway({
    rules: [{ name: 'all', when: {}, scopes: ['inference', 'metrics'] }],
    env: { MAX_HEADER_LINE_SIZE: '100000' },
  });
  ({ issuer, corral } = gateway);
});
afterAll(() => gateway[Symbol.asyncDispose]());

const send = (token: string) => gateway.send(token);

const base64 = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const seconds = () => Math.floor(Date.now() / 1000);
const claims = () => ({ iss: issuer.issuer, aud: audience, sub: 'alice', exp: seconds() + 600 });
/** A token without a signature. */
const unsigned = (header: object, signature = '') => `${base64(header)}.${base64(claims())}.${signature}`;

async function hmacWith(secret: string | Buffer, alg = 'HS256') {
  const text = `${base64({ alg, kid: issuer.key.kid })}.${base64(claims())}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

const publicPem = async () =>
  exportSPKI((await importJWK(issuer.key.publicKey, 'RS256', { extractable: true })) as never);

it('a genuine token is accepted, by every algorithm', async () => {
  expect((await send(await issuer.token())).status).toBe(200);
  for (const alg of ['RS256', 'PS256', 'ES256', 'EdDSA'] as const) {
    const key = await issuer.newKey(alg);
    issuer.published.push(key.publicKey);
    expect([alg, (await send(await key.sign())).status]).toEqual([alg, 200]);
  }
});

describe('a token is rejected', () => {
  it.each<[string, string, () => Promise<string> | string]>([
    ['without a signature (none)', 'algorithm', () => unsigned({ alg: 'none' })],
    ['with "None" in another case', 'algorithm', () => unsigned({ alg: 'NoNe', kid: issuer.key.kid })],
    ['signed with the public key as the secret (PEM)', 'algorithm', async () => hmacWith(await publicPem())],
    [
      'signed with the public key as the secret (JWK)',
      'algorithm',
      () => hmacWith(JSON.stringify(issuer.key.publicKey)),
    ],
    [
      'signed with the modulus as the secret',
      'algorithm',
      () => hmacWith(Buffer.from(String(issuer.key.publicKey.n), 'base64url')),
    ],
    ['with an HMAC under the name RS256', 'signature', async () => hmacWith(await publicPem(), 'RS256')],
    [
      'with the kid of another key',
      'signature',
      async () => {
        const other = await issuer.newKey('RS256', issuer.key.kid);
        return other.sign();
      },
    ],
    [
      'with the kid of a key of another type',
      'unknown_key',
      async () => (await issuer.newKey('ES256', issuer.key.kid)).sign(),
    ],
    [
      'with a changed payload',
      'signature',
      async () => {
        const [header, , signature] = (await issuer.token()).split('.');
        return [header, base64({ ...claims(), sub: 'admin' }), signature].join('.');
      },
    ],
    [
      'with a signature of another token',
      'signature',
      async () => {
        const [a, b] = [await issuer.token(), await issuer.token({ sub: 'bob' })];
        return [...a.split('.').slice(0, 2), b.split('.')[2]].join('.');
      },
    ],
    [
      'with its own key in "jwk"',
      'signature',
      async () => {
        const own = await issuer.newKey('RS256', issuer.key.kid);
        return own.sign({}, { jwk: own.publicKey });
      },
    ],
    [
      'with the address of its own keys in "jku" and "x5u"',
      'signature',
      async () => {
        const own = await issuer.newKey('RS256', issuer.key.kid);
        return own.sign({}, { jku: `${issuer.issuer}/evil`, x5u: `${issuer.issuer}/evil`, x5c: ['AAAA'] });
      },
    ],
    [
      'with a critical extension',
      'malformed',
      () =>
        issuer.key
          .sign({}, { crit: ['urn:x'], 'urn:x': true })
          .catch(() => unsigned({ alg: 'RS256', kid: issuer.key.kid, crit: ['urn:x'], 'urn:x': 1 }, 'AAAA')),
    ],
    ['for another audience', 'audience', () => issuer.token({ aud: 'another' })],
    ['for nobody', 'audience', () => issuer.token({ aud: undefined })],
    ['of another issuer', 'issuer', () => issuer.token({ iss: 'https://evil.example' })],
    ['of an issuer whose name begins like ours', 'issuer', () => issuer.token({ iss: `${issuer.issuer}/` })],
    ['that has expired', 'expired', () => issuer.token({ exp: seconds() - 61 })],
    ['that never expires', 'expired', () => issuer.token({ exp: undefined })],
    ['that is not yet valid', 'not_yet_valid', () => issuer.token({ nbf: seconds() + 90 })],
    ['without a subject', 'claims', () => issuer.token({ sub: undefined })],
    ['with an empty subject', 'claims', () => issuer.token({ sub: '' })],
    ['with a list as its subject', 'claims', () => issuer.token({ sub: ['alice'] })],
    ['with a huge subject', 'claims', () => issuer.token({ sub: 'a'.repeat(1025) })],
    ['that is no JSON', 'malformed', () => `eyJhbGci.${base64('x')}.AAAA`],
    [
      'with a list as its payload',
      'signature',
      () => `${base64({ alg: 'RS256', kid: issuer.key.kid })}.${base64([])}.AAAA`,
    ],
  ])('%s', async (_, reason, forge) => {
    const response = await send(await forge());
    expect([response.status, response.body.error?.code]).toEqual([401, 'invalid_api_key']);
    expect(await gateway.reasonOf(response)).toBe(reason);
  });

  it('of 64 KiB, before anything of it is read', async () => {
    const token = await issuer.token({ groups: ['g'.repeat(64 * 1024)] });
    const find = () => Promise.reject(new Error('its key was looked up'));
    const verifier = new TokenVerifier({ issuer: issuer.issuer, audience: [audience], keys: { find } });
    expect(await verifier.verify(token)).toEqual({ outcome: 'rejected', reason: 'malformed' });
    const response = await send(token);
    expect(response.status).toBe(401);
    expect(await gateway.reasonOf(response)).toBe('malformed');
  });
});

it.each([
  [
    'too short',
    () => generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' }),
  ],
  ['broken', () => ({ kty: 'RSA', n: '!!', e: 'AQAB' })],
])('a token of a published key that is %s: the log says that its key is the reason', async (_, keyOf) => {
  const key = await issuer.newKey();
  issuer.published.push({ ...keyOf(), kid: key.kid, alg: 'RS256' });
  expect(await gateway.reasonOf(await send(await key.sign()))).toBe('unknown_key');
  expect((await send(await issuer.token())).status).toBe(200);
});

it('within a minute of its limits a token is accepted, as clocks differ', async () => {
  expect((await send(await issuer.token({ exp: seconds() - 50 }))).status).toBe(200);
  expect((await send(await issuer.token({ nbf: seconds() + 50 }))).status).toBe(200);
});

it('an unknown kid causes one reading of the keys, and invented ones cause ten', async () => {
  const before = issuer.reads;
  const forged = await issuer.newKey('RS256', 'unknown');
  const token = await forged.sign();
  const statuses = await Promise.all(Array.from({ length: 20 }, () => send(token)));
  expect(new Set(statuses.map(({ status }) => status))).toEqual(new Set([401]));
  expect(issuer.reads - before).toBeLessThanOrEqual(2);
  for (let n = 0; n < 30; n++) await send(await forged.sign({}, { kid: `invented-${n}` }));
  expect(issuer.reads - before).toBeLessThanOrEqual(11);
  expect((await send(await issuer.token())).status).toBe(200);
});

it('a token with an unknown kid of another issuer causes no reading', async () => {
  const before = issuer.reads;
  const other = await issuer.newKey('RS256', 'of-another-issuer');
  expect((await send(await other.sign({ iss: 'https://elsewhere.example' }))).status).toBe(401);
  expect(issuer.reads).toBe(before);
});

it('keys are accepted as before, and what is no token never reaches the verification', async () => {
  expect((await send(testerSecret)).status).toBe(200);
  for (const secret of ['sk-wrong', 'eyJ', 'a.b.c', 'eyJ.a', 'eyJ.a.b.c.d'])
    expect((await send(secret)).status).toBe(401);
});

it('no token, and no part of one, is in the log or the metrics', async () => {
  const token = await issuer.token({ sub: 'carol' });
  const bad = await issuer.token({ sub: 'carol', aud: 'another' });
  expect((await send(token)).status).toBe(200);
  const { status, body } = await send(bad);
  // A client that puts its token into the URL gets nothing, and shows it to nobody.
  const wrongPlace = await gateway.send(testerSecret, `GET /v1/models/${token}`);
  const wrongPath = await gateway.send(testerSecret, `GET /${token}/v1/models`);
  expect(status).toBe(401);
  const metrics = await (
    await fetch(`${corral.origin}/metrics`, { headers: { authorization: `Bearer ${token}` } })
  ).text();
  const all = [JSON.stringify(corral.logged), JSON.stringify([body, wrongPath.body]), metrics].join('\n');
  expect(all).toContain('carol');
  expect(wrongPlace.status).toBe(404);
  expect(all).not.toMatch(/eyJ\w/);
  for (const part of [...token.split('.'), ...bad.split('.')]) expect(all).not.toContain(part.slice(0, 40));
});
