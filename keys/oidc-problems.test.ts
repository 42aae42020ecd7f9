import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { oidcProblems, oidcWarning } from './oidc-problems.ts';

const none = {
  AUTH_ENABLED: true,
  OIDC_ISSUER: undefined,
  OIDC_AUDIENCE: undefined,
  OIDC_CLAIMS_FILE: undefined,
};
const issuer = { ...none, OIDC_ISSUER: 'https://issuer.example' };

it('nothing is required without an issuer, but the rest is not left alone', () => {
  expect(oidcProblems(none)).toEqual([]);
  expect(oidcProblems({ ...none, OIDC_AUDIENCE: ['x'] })).toEqual([
    expect.stringMatching(/^OIDC_ISSUER: not set/),
  ]);
});

it('with an issuer, audience and claims file are required, and all that is missing is reported at once', () => {
  expect(oidcProblems(issuer)).toEqual([
    expect.stringMatching(/^OIDC_AUDIENCE: not set/),
    expect.stringMatching(/^OIDC_CLAIMS_FILE: not set/),
  ]);
  expect(oidcProblems({ ...issuer, OIDC_AUDIENCE: [] })).toHaveLength(2);
  expect(oidcProblems({ ...issuer, AUTH_ENABLED: false })).toEqual([expect.stringMatching(/no effect/)]);
});

it('the claims file must be there and valid', async () => {
  await using folder = await temporaryFolder();
  const file = folder.file('claims.json');
  const problems = () => oidcProblems({ ...issuer, OIDC_AUDIENCE: ['x'], OIDC_CLAIMS_FILE: file });
  expect(problems()).toEqual([`OIDC_CLAIMS_FILE: ${file}: is missing`]);
  writeFileSync(file, '{"version":2}');
  expect(problems()).toEqual([expect.stringMatching(/claims.json: version: .*; rules: /)]);
  writeFileSync(file, '{"version":1,"rules":[]}');
  expect(problems()).toEqual([]);
});

it('an issuer without encryption is warned of, unless it is on this machine', () => {
  expect(oidcWarning({ OIDC_ISSUER: 'http://keycloak.auth.svc:8080/realms/x' })).toMatch(/http:\/\/ address/);
  expect(oidcWarning({ OIDC_ISSUER: 'http://127.0.0.1:8080' })).toBeUndefined();
  expect(oidcWarning({ OIDC_ISSUER: 'https://issuer.example' })).toBeUndefined();
});
