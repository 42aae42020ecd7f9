import { describe, expect, it } from 'vitest';
import { parseClaimsFile } from '../../keys/claims-file.ts';
import { findRule } from '../../keys/claims-rules.ts';
import { identityId } from '../../keys/identity.ts';
import { startTokenGateway, type TokenGateway } from '../harness/start-token-gateway.ts';
import { fencedBlocks } from './markdown.ts';
import { readPage } from './pages.ts';

const [example = '', kubernetes = '', github = '', keycloak = '', entra = ''] = fencedBlocks(
  readPage('docs/sign-in.md').text,
)
  .filter(({ tags }) => tags.includes('claims-file'))
  .map(({ text }) => text);

/** The payloads as the documentation of each issuer shows them, without those claims that the fake issuer adds. */
const pod = {
  aud: ['corral-test'],
  sub: 'system:serviceaccount:apps:web',
  jti: 'ea28ed49-2e11-4280-9ec5-bc3d1d84661a',
  'kubernetes.io': {
    namespace: 'apps',
    node: { name: 'node-1', uid: '646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1' },
    pod: { name: 'web-6d5f', uid: '5e0bd49b-f040-43b0-99b7-22765a53f7f3' },
    serviceaccount: { name: 'web', uid: '14ee3fa4-a7e2-420f-9f9a-dbc4507c3798' },
    warnafter: 1700081166,
  },
};
const workflow = {
  sub: 'repo:octo-org/octo-repo:environment:prod',
  environment: 'prod',
  ref: 'refs/heads/main',
  sha: 'example-sha',
  repository: 'octo-org/octo-repo',
  repository_owner: 'octo-org',
  actor_id: '12',
  repository_visibility: 'private',
  repository_id: '74',
  repository_owner_id: '65',
  run_id: 'example-run-id',
  runner_environment: 'github-hosted',
  job_workflow_ref: 'octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main',
};
const realmUser = {
  sub: 'f:2a1c:joe',
  aud: ['corral-test', 'account'],
  typ: 'Bearer',
  azp: 'corral-web',
  realm_access: { roles: ['default-roles-team', 'offline_access', 'llm-user'] },
  resource_access: { account: { roles: ['manage-account'] } },
  scope: 'openid email profile',
  email_verified: true,
  preferred_username: 'joe',
  email: 'joe@team.example',
};
const tenantUser = {
  sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
  aio: 'Df2UVXL1ix!lMCWMSOJBcFatzcGfvFGhjKv8q5g0x732dR5MB5BisvGQO7YWByjd8iQDLq!eGbIDakyp5mnOrcdqHeYSnltepQmRp6AIZ8jY',
  azp: '6e74172b-be56-4843-9ff4-e66a39bb12e3',
  azpacr: '0',
  groups: ['11111111-2222-3333-4444-555555555555', '99999999-2222-3333-4444-555555555555'],
  name: 'Joe Example',
  oid: '690222be-ff1a-4d56-abd1-7e4f7d38e474',
  preferred_username: 'joe@team.example',
  rh: 'I',
  scp: 'access_as_user',
  tid: '72f988bf-86f1-41af-91ab-2d7cd011db47',
  uti: 'fqiBqXLPj0eQa82S-IYFAA',
  ver: '2.0',
};

const cases: readonly [
  recipe: string,
  file: string,
  claims: Record<string, unknown>,
  rule: string | undefined,
][] = [
  ['kubernetes', kubernetes, pod, 'web'],
  ['kubernetes', kubernetes, { ...pod, sub: 'system:serviceaccount:apps:cron' }, 'apps'],
  [
    'kubernetes',
    kubernetes,
    { ...pod, sub: 'system:serviceaccount:x:web', 'kubernetes.io': { namespace: 'x' } },
    undefined,
  ],
  ['github', github, workflow, 'releases'],
  ['github', github, { ...workflow, ref: 'refs/tags/v1' }, 'releases'],
  ['github', github, { ...workflow, ref: 'refs/pull/7/merge' }, 'org'],
  [
    'github',
    github,
    { ...workflow, repository: 'octo-org2/octo-repo', repository_owner_id: '66' },
    undefined,
  ],
  ['keycloak', keycloak, realmUser, 'users'],
  ['keycloak', keycloak, { ...realmUser, groups: ['/staff', '/other'] }, 'staff'],
  ['keycloak', keycloak, { ...realmUser, groups: ['/staff'], email_verified: false }, 'users'],
  [
    'keycloak',
    keycloak,
    { ...realmUser, resource_access: { 'llama-corral': { roles: ['admin'] } } },
    'admins',
  ],
  ['keycloak', keycloak, { ...realmUser, realm_access: { roles: ['offline_access'] } }, undefined],
  ['entra', entra, tenantUser, 'staff'],
  ['entra', entra, { ...tenantUser, roles: ['Corral.Admin'] }, 'admins'],
  ['entra', entra, { ...tenantUser, groups: undefined, idtyp: 'app', roles: ['Corral.Use'] }, 'jobs'],
  ['entra', entra, { ...tenantUser, groups: undefined, _claim_names: { groups: 'src1' } }, undefined],
];

it('the first example is a valid claims file', () => {
  const rules = parseClaimsFile(example);
  expect(findRule(rules, { sub: 'eve', groups: ['llm-admins'] })?.scopes).toEqual([]);
  const analyst = { sub: 'joe', realm_access: { roles: ['analyst'] }, email_verified: true };
  expect(findRule(rules, analyst)?.limits.concurrent).toBe(4);
});

describe('the recipes, on a running gateway', () => {
  it.each(['kubernetes', 'github', 'keycloak', 'entra'])('%s', async (recipe) => {
    const own = cases.filter(([name]) => name === recipe);
    expect(own.length).toBeGreaterThanOrEqual(3);
    await using gateway = await startTokenGateway({ rules: own[0]?.[1] });
    for (const [, , claims, rule] of own)
      expect([claims, await ruleFor(gateway, claims)]).toEqual([claims, rule]);
  });
});

/** By the log, as an operator sees it. */
async function ruleFor({ issuer, send, corral }: TokenGateway, claims: Record<string, unknown>) {
  const { status } = await send(await issuer.token(claims));
  if (status === 403) return undefined;
  expect(status).toBe(200);
  const key = identityId(issuer.issuer, `${claims.sub}`);
  return corral.logged.findLast((line) => line.key === key && line.rule !== undefined)?.rule;
}
