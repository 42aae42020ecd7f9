import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { echo } from '../fakes/scenarios.ts';
import { startFakeBackend } from '../fakes/start-fake-backend.ts';
import { audience, type FakeIssuer, startFakeIssuer } from '../fakes/start-fake-issuer.ts';
import { requestGateway } from './request-gateway.ts';
import { startTestGateway, type TestGateway, type TestGatewayOptions } from './start-gateway.ts';
import { removeFolder } from './temporary-folder.ts';
import { waitFor } from './wait-for.ts';

export interface TokenGateway extends AsyncDisposable {
  readonly corral: TestGateway;
  readonly issuer: FakeIssuer;
  writeRules(rules: unknown): void;
  /** `GET /v1/models`, or another request. */
  send(token: string, request?: string): ReturnType<typeof requestGateway>;
  /** Why the token of a response was rejected, by the log. */
  reasonOf(response: { readonly headers: Headers }): Promise<unknown>;
}

interface TokenGatewayOptions extends Partial<TestGatewayOptions> {
  readonly rules?: unknown;
  /** Called before the gateway starts. */
  readonly prepare?: (issuer: FakeIssuer) => void;
}

/** A gateway that accepts the tokens of an issuer of its own. By default they give the scope `inference`. */
export async function startTokenGateway({
  rules = [{ name: 'all', when: {}, scopes: ['inference'] }],
  prepare,
  ...options
}: TokenGatewayOptions = {}): Promise<TokenGateway> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'corral-tokens-'));
  const claimsFile = join(folder, 'claims.json');
  const writeRules = (next: unknown) =>
    writeFileSync(claimsFile, typeof next === 'string' ? next : JSON.stringify({ version: 1, rules: next }));
  writeRules(rules);
  const [backend, issuer] = await Promise.all([startFakeBackend(echo), startFakeIssuer()]);
  prepare?.(issuer);
  const oidc = { OIDC_ISSUER: issuer.issuer, OIDC_AUDIENCE: audience, OIDC_CLAIMS_FILE: claimsFile };
  const corral = await startTestGateway({
    backend: backend.backend,
    ...options,
    folder,
    env: { ...oidc, MAX_FAILED_LOGINS_PER_MINUTE: '0', ...options.env },
  });
  return {
    ...{ corral, issuer, writeRules },
    send: (token, request = 'GET /v1/models') => requestGateway(corral.origin, request, token),
    async reasonOf({ headers }) {
      const id = headers.get('x-request-id');
      const line = await waitFor('the line of the request', () => corral.logged.find((it) => it.id === id));
      return line.token;
    },
    async [Symbol.asyncDispose]() {
      await corral.stop();
      await Promise.all([backend.stop(), issuer[Symbol.asyncDispose]()]);
      if (options.folder === undefined) await removeFolder(folder);
    },
  };
}
