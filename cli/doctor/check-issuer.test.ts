import { expect, it } from 'vitest';
import { startFakeIssuer } from '../../test/fakes/start-fake-issuer.ts';
import { checkIssuer } from './check-issuer.ts';

const check = (issuer: string | undefined, isRequired = true) =>
  checkIssuer({ OIDC_ISSUER: issuer, AUTH_ENABLED: isRequired }, { keys: [] });

it('says how many keys the issuer publishes', async () => {
  await using fake = await startFakeIssuer('/realms/team');
  expect(await check(fake.issuer)).toEqual([
    { about: 'sign-in', verdict: 'good', message: `${fake.issuer} publishes 1 key` },
  ]);
});

it('says why tokens could not be verified', async () => {
  await using fake = await startFakeIssuer();
  for (const [issuer, problem] of [
    [`${fake.issuer}/other`, /openid-configuration responds with 404/],
    [`${fake.issuer}/`, /names the issuer "http:.*": set OIDC_ISSUER to exactly that/],
    ['http://127.0.0.1:1', /cannot be reached \(/],
  ] as const)
    expect(await check(issuer)).toMatchObject([{ verdict: 'bad', message: expect.stringMatching(problem) }]);
});

it('says nothing where no tokens are accepted', async () => {
  expect(await check(undefined)).toEqual([]);
  expect(await check('http://127.0.0.1:1', false)).toEqual([]);
});
