import { writeFileSync } from 'node:fs';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { audience, type FakeIssuer, startFakeIssuer } from '../../test/fakes/start-fake-issuer.ts';
import { type TemporaryFolder, temporaryFolder } from '../../test/harness/temporary-folder.ts';
import { TokenSignIn } from './token-sign-in.ts';

let folder: TemporaryFolder;
let issuer: FakeIssuer;
let tokens: TokenSignIn;
beforeEach(async () => {
  folder = await temporaryFolder();
  issuer = await startFakeIssuer();
  const claimsFile = folder.file('claims.json');
  writeFileSync(claimsFile, '{"version":1,"rules":[{"name":"all","when":{},"scopes":["inference"]}]}');
  tokens = new TokenSignIn(
    {
      issuer: issuer.issuer,
      audience: [audience],
      claimsFile,
      staleMs: 3_600_000,
      identitiesFile: undefined,
    },
    pino({ level: 'silent' }),
    () => {},
  );
  await tokens.keys.refresh();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await tokens.close();
  await issuer[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** Lets this happen between the verification of the next signature and its result. */
function duringVerification(happens: () => Promise<void>): void {
  const verify = crypto.subtle.verify.bind(crypto.subtle);
  vi.spyOn(crypto.subtle, 'verify').mockImplementationOnce(async (...args) => {
    const isValid = await verify(...args);
    await happens();
    return isValid;
  });
}

it('a token is not cached whose key is withdrawn while its signature is verified', async () => {
  const token = await issuer.token();
  duringVerification(async () => {
    await issuer.rotate();
    await tokens.keys.refresh();
  });
  expect(await tokens.signIn(token)).toMatchObject({ outcome: 'accepted' });
  expect(await tokens.signIn(token)).toEqual({ outcome: 'rejected', reason: 'unknown_key' });
});

it('a verified token is cached', async () => {
  const token = await issuer.token();
  expect(await tokens.signIn(token)).toMatchObject({ outcome: 'accepted' });
  expect(tokens.signIn(token)).toMatchObject({ outcome: 'accepted' });
  expect(tokens.outcomes.get('accepted')).toBe(1);
});
