import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

type Algorithm = 'RS256' | 'PS256' | 'ES256' | 'EdDSA';

export interface SigningKey {
  readonly kid: string;
  readonly alg: Algorithm;
  readonly publicKey: JWK;
  /** Signs these claims; undefined removes one of the defaults. */
  sign(
    claims?: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
  ): Promise<string>;
}

/** An OpenID Connect issuer on a port of its own, with real keys. Tests change what it publishes and how it responds. */
export interface FakeIssuer extends AsyncDisposable {
  readonly issuer: string;
  /** The key that signs at present; the first one is RS256. */
  readonly key: SigningKey;
  /** The keys that it publishes; changed by tests. */
  published: JWK[];
  /** How often its keys were read. */
  readonly reads: number;
  /** Instead of its documents. */
  respond: ((path: string, response: ServerResponse) => void) | undefined;
  newKey(alg?: Algorithm, kid?: string): Promise<SigningKey>;
  /** Publishes a new key in the place of all others, and signs with it from now on. */
  rotate(): Promise<SigningKey>;
  token(claims?: Readonly<Record<string, unknown>>): Promise<string>;
}

export const audience = 'corral-test';

export async function startFakeIssuer(path = ''): Promise<FakeIssuer> {
  let reads = 0;
  let count = 0;
  let key: SigningKey;
  const server = createServer((request, response) => {
    const send = (content: unknown) =>
      response.setHeader('content-type', 'application/json').end(JSON.stringify(content));
    if (request.url === `${path}/keys`) reads += 1;
    if (fake.respond) fake.respond(request.url ?? '', response);
    else if (request.url === `${path}/keys`) send({ keys: fake.published });
    else if (request.url === `${path}/.well-known/openid-configuration`)
      send({ issuer: fake.issuer, jwks_uri: `${fake.issuer}/keys` });
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}${path}`;

  async function newKey(alg: Algorithm = 'RS256', kid = `key-${++count}`): Promise<SigningKey> {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    return {
      ...{ kid, alg, publicKey: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } },
      sign(claims = {}, header = {}) {
        const now = Math.floor(Date.now() / 1000);
        const defaults = { iss: issuer, aud: audience, sub: 'alice', iat: now, exp: now + 600 };
        const payload = JSON.parse(JSON.stringify({ ...defaults, ...claims })) as JWTPayload;
        return new SignJWT(payload).setProtectedHeader({ alg, kid, ...header }).sign(privateKey);
      },
    };
  }
  const fake: FakeIssuer = {
    issuer,
    published: [],
    respond: undefined,
    get key() {
      return key;
    },
    get reads() {
      return reads;
    },
    newKey,
    async rotate() {
      key = await newKey();
      fake.published = [key.publicKey];
      return key;
    },
    token: (claims) => key.sign(claims),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  await fake.rotate();
  return fake;
}
