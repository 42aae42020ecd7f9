import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { test } from 'vitest';
import { TokenSignIn } from '../../gateway/oidc/token-sign-in.ts';
import { TokenVerifier } from '../../gateway/oidc/token-verifier.ts';
import { audience, startFakeIssuer } from '../fakes/start-fake-issuer.ts';

const issuer = await startFakeIssuer();
const claimsFile = join(mkdtempSync(join(tmpdir(), 'corral-bench-')), 'claims.json');
const rule = { name: 'all', when: { groups: 'g7' }, scopes: ['inference'] };
writeFileSync(claimsFile, JSON.stringify({ version: 1, rules: [rule] }));
const groups = Array.from({ length: 20 }, (_, n) => `g${n}`);
const config = { issuer: issuer.issuer, audience: [audience], claimsFile, staleMs: 86_400_000 };

test.for(['RS256', 'ES256'] as const)(
  'a token is verified in 150 µs, and one that is known is accepted in 5 µs: %s',
  async (alg, { bench }) => {
    const key = await issuer.newKey(alg);
    issuer.published.push(key.publicKey);
    const signIn = new TokenSignIn(
      { ...config, identitiesFile: undefined },
      pino({ level: 'silent' }),
      () => {},
    );
    const verifier = new TokenVerifier({ ...config, keys: signIn.keys });
    const token = await key.sign({ groups });
    await signIn.signIn(token);
    const verified = bench('verified', async () => {
      await verifier.verify(token);
    });
    // From bytes, as from the network: a string that was used before has a cached hash.
    const bytes = Buffer.from(token);
    const known = bench('known', () => {
      signIn.signIn(bytes.toString('latin1'));
    });
    await bench.compare(verified, known);
  },
);
