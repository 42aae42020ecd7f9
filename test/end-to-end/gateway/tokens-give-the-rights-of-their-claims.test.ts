import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { identityId } from '../../../keys/identity.ts';
import { silent } from '../../fakes/scenarios.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTokenGateway, type TokenGateway } from '../../harness/start-token-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const runnerKey = 'sk-of-the-runner';
const seconds = () => Math.floor(Date.now() / 1000);
const codeOf = ({ status, body }: { status: number; body: { error?: { code: string } } }) =>
  [status, body.error?.code] as const;

const rules = [
  { name: 'blocked', when: { sub: 'eve' }, scopes: [] },
  { name: 'ops', when: { groups: 'admins' }, scopes: ['admin', 'inference'] },
  { name: 'jobs', when: { groups: 'jobs' }, scopes: ['inference', 'batch'], priority: 'low' },
  { name: 'few', when: { groups: 'few' }, scopes: ['inference'], limits: { requestsPerMinute: 2 } },
  { name: 'one', when: { groups: 'one' }, scopes: ['inference'], models: ['another'] },
];

const chat = async ({ corral }: TokenGateway, secret: string, headers: readonly string[] = []) => {
  await using client = await RawClient.connect(corral.port);
  const response = await client.send(postOf(chatOf('hi'), { secret, headers })).response();
  return [response?.status, JSON.parse(response?.body || '{}').error?.code] as const;
};

describe('an identity', () => {
  it('has the scopes, models and limits of the first rule that matches, each for itself', async () => {
    await using gateway = await startTokenGateway({ rules });
    const { issuer, send } = gateway;
    const of = (sub: string, ...groups: string[]) => issuer.token({ sub, groups });
    expect(codeOf(await send(await of('ann', 'admins'), 'GET /admin/keys'))).toEqual([200, undefined]);
    expect(codeOf(await send(await of('joe', 'jobs'), 'GET /admin/keys'))).toEqual([
      403,
      'insufficient_scope',
    ]);
    expect(codeOf(await send(await of('eve', 'admins'), 'GET /admin/keys'))).toEqual([
      403,
      'insufficient_scope',
    ]);
    const [few, fewToo] = [await of('f1', 'few'), await of('f2', 'few')];
    for (let n = 0; n < 2; n++) expect(await chat(gateway, few)).toEqual([200, undefined]);
    expect(await chat(gateway, few)).toEqual([429, 'rate_limit_exceeded']);
    expect(await chat(gateway, await of('f1', 'few', 'other'))).toEqual([429, 'rate_limit_exceeded']);
    expect(await chat(gateway, fewToo)).toEqual([200, undefined]);
    expect((await chat(gateway, await of('m', 'one')))[0]).not.toBe(200);
  });

  it('is a key in the log, the ledger and the metrics, by a hash of issuer and subject', async () => {
    await using gateway = await startTokenGateway({ rules });
    const { issuer, corral } = gateway;
    const sub = `joe "x" \n${'ü'.repeat(300)}`;
    const id = identityId(issuer.issuer, sub);
    expect(id).toMatch(/^oidc-[0-9a-f]{32}$/);
    await chat(gateway, await issuer.token({ sub, groups: ['jobs'] }));
    await waitFor('its line', () => corral.logged.some(({ key, status }) => key === id && status === 200));
    await waitFor('its usage', () => corral.gateway.ledger.today(id, Date.now()).requests === 1);
    const introduced = corral.logged.filter(({ msg }) => msg === 'OIDC: identity signed in');
    expect(introduced).toMatchObject([{ key: id, rule: 'jobs', subject: sub.slice(0, 256) }]);
    const admin = await issuer.token({ sub: 'ann', groups: ['admins'] });
    const metrics = await (
      await fetch(`${corral.origin}/metrics`, { headers: { authorization: `Bearer ${admin}` } })
    ).text();
    expect(metrics).toContain(`corral_key_requests_total{key="${id}"} 1`);
    expect(metrics).toContain('corral_oidc_tokens_total{outcome="accepted"} 2');
    expect(metrics).toContain('corral_oidc_refreshes_total{result="ok"} 1');
    expect(metrics).toMatch(/corral_oidc_keys_last_success_timestamp_seconds \d{10}/);
    expect(metrics).toContain('corral_oidc_claims_file_broken 0');
  });

  it('without a matching rule has no rights, leaves no trace, and is no guess', async () => {
    await using gateway = await startTokenGateway({ rules, env: { MAX_FAILED_LOGINS_PER_MINUTE: '1' } });
    const { issuer, send, corral } = gateway;
    for (let n = 0; n < 3; n++)
      expect(codeOf(await send(await issuer.token({ sub: 'stranger' })))).toEqual([
        403,
        'identity_without_rights',
      ]);
    expect(JSON.stringify(corral.logged)).not.toMatch(/stranger|oidc-/);
    expect(corral.gateway.ledger.today(identityId(issuer.issuer, 'stranger'), Date.now()).requests).toBe(0);
  });
});

it('tokens that are not in order count as failed logins; good ones from there still work', async () => {
  await using gateway = await startTokenGateway({ env: { MAX_FAILED_LOGINS_PER_MINUTE: '2' } });
  const { issuer, send } = gateway;
  const expired = await issuer.token({ exp: seconds() - 100 });
  const statuses: number[] = [];
  for (let n = 0; n < 4; n++) statuses.push((await send(expired)).status);
  expect(statuses).toEqual([401, 401, 429, 429]);
  expect((await send(await issuer.token())).status).toBe(200);
});

it('a change of the claims file applies to tokens that are known, and a mistake changes nothing', async () => {
  await using gateway = await startTokenGateway({ rules });
  const { issuer, send, corral, writeRules } = gateway;
  const token = await issuer.token({ groups: ['admins'] });
  expect((await send(token)).status).toBe(200);
  writeRules('{"version":1,"rules":[{"name":"x"}]}');
  await waitFor('the problem', () =>
    corral.logged.some(({ msg }) =>
      /rules\[0\]\.when .*rules\[0\]\.scopes .*loaded before remain/.test(String(msg)),
    ),
  );
  expect((await send(token)).status).toBe(200);
  writeRules(rules);
  await waitFor('its end', () =>
    corral.logged.some(({ msg }) =>
      String(msg).endsWith('claims.json is valid again, and the same as before'),
    ),
  );
  writeRules(rules.filter(({ name }) => name !== 'ops'));
  await waitFor('its rights to be gone', async () => (await send(token)).status === 403);
});

it('a change of the claims file applies to requests that wait, too', async () => {
  await using engine = await startFakeBackend(silent);
  const ruleWith = (concurrent: number) => [
    { name: 'all', when: {}, scopes: ['inference'], limits: { concurrent } },
  ];
  await using gateway = await startTokenGateway({ rules: ruleWith(1), backend: engine.backend });
  const token = await gateway.issuer.token();
  const clients = new AbortController();
  const requests = [1, 2, 3].map(() =>
    fetch(`${gateway.corral.origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(chatOf('hello')),
      signal: clients.signal,
    }).catch(() => undefined),
  );
  const { scheduler } = gateway.corral.gateway;
  await waitFor('two to wait', () => scheduler.counts.leased === 1 && scheduler.counts.waiting === 2);
  gateway.writeRules(ruleWith(2));
  await waitFor('one of them to run', () => scheduler.counts.leased === 2 && scheduler.counts.waiting === 1);
  clients.abort();
  await Promise.all(requests);
});

it('what an identity stores is its own, whichever of its tokens it presents', async () => {
  await using gateway = await startTokenGateway({ env: { STORE: 'on' } });
  const { issuer, corral } = gateway;
  const request = async (sub: string, path: string, body?: string) => {
    const token = await issuer.token({ sub, jti: crypto.randomUUID() });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const response = await fetch(
      corral.origin + path,
      body === undefined ? { headers } : { headers, method: 'POST', body },
    );
    return { status: response.status, body: (await response.json()) as { id: string } };
  };
  const { id } = (await request('joe', '/v1/conversations', '{}')).body;
  expect(id).toMatch(/^conv_/);
  expect((await request('joe', `/v1/conversations/${id}`)).status).toBe(200);
  expect((await request('ann', `/v1/conversations/${id}`)).status).toBe(404);
});

describe('the runner acts for an identity', () => {
  const actFor = (gateway: TokenGateway, sub: string) =>
    chat(gateway, runnerKey, [
      `x-corral-on-behalf-of: ${identityId(gateway.issuer.issuer, sub)}`,
      'x-corral-batch: batch_1',
    ]);

  it('whose token has expired, until its rule is gone or its newest token gives nothing', async () => {
    await using gateway = await startTokenGateway({ rules, env: { RUNNER_KEY: runnerKey } });
    const { issuer, send, writeRules } = gateway;
    expect(await actFor(gateway, 'joe')).toEqual([401, 'invalid_api_key']);
    // A pause of this process may outlast it: then another one is taken.
    const token = await waitFor('a token just before its end', async () => {
      const last = await issuer.token({ sub: 'joe', groups: ['jobs'], exp: seconds() - 58 });
      return (await send(last)).status === 200 && last;
    });
    await waitFor('the token to expire', async () => (await send(token)).status === 401);
    expect(await actFor(gateway, 'joe')).toEqual([200, undefined]);
    expect((await send(await issuer.token({ sub: 'ann', groups: ['admins'] }))).status).toBe(200);
    expect(await actFor(gateway, 'ann')).toEqual([403, 'insufficient_scope']);
    expect((await send(await issuer.token({ sub: 'joe', groups: [] }))).status).toBe(403);
    expect(await actFor(gateway, 'joe')).toEqual([401, 'invalid_api_key']);
    expect((await send(await issuer.token({ sub: 'joe', groups: ['jobs'] }))).status).toBe(200);
    expect(await actFor(gateway, 'joe')).toEqual([200, undefined]);
    writeRules([{ name: 'left', when: { sub: ['x', 'joe'] }, scopes: [] }, ...rules]);
    await waitFor('a rule that blocks it', async () => (await actFor(gateway, 'joe'))[0] === 403);
    writeRules(rules);
    await waitFor('that rule to be gone', async () => (await actFor(gateway, 'joe'))[0] === 200);
    writeRules(rules.slice(0, 2));
    await waitFor('its rule to be gone', async () => (await actFor(gateway, 'joe'))[0] === 401);
  });

  it('after a restart of the gateway, and no claim is kept', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'corral-tokens-'));
    try {
      const options = { rules, folder, env: { RUNNER_KEY: runnerKey } };
      let issuer = '';
      {
        await using first = await startTokenGateway(options);
        issuer = first.issuer.issuer;
        expect((await first.send(await first.issuer.token({ sub: 'joe', groups: ['jobs'] }))).status).toBe(
          200,
        );
      }
      await using second = await startTokenGateway(options);
      const headers = [`x-corral-on-behalf-of: ${identityId(issuer, 'joe')}`, 'x-corral-batch: batch_1'];
      expect(await chat(second, runnerKey, headers)).toEqual([200, undefined]);
      const kept = readFileSync(join(folder, 'identities.json'), 'utf8');
      expect(JSON.parse(kept)).toEqual({
        version: 1,
        identities: { [identityId(issuer, 'joe')]: { rule: 'jobs', seen: expect.any(Number) } },
      });
      expect(statSync(join(folder, 'identities.json')).mode & 0o777).toBe(0o600);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

it('GET /admin/keys lists the identities that signed in, apart from the keys', async () => {
  await using gateway = await startTokenGateway({ rules });
  const { issuer, send } = gateway;
  expect((await send(await issuer.token({ sub: 'joe', groups: ['jobs'] }))).status).toBe(200);
  const response = await send(await issuer.token({ sub: 'ann', groups: ['admins'] }), 'GET /admin/keys');
  const { identities, keys } = response.body as unknown as {
    keys: { id: string }[];
    identities: { count: number; latest: { id: string; rule: string }[] };
  };
  expect(identities.count).toBe(2);
  expect(Object.fromEntries(identities.latest.map(({ id, rule }) => [id, rule]))).toEqual({
    [identityId(issuer.issuer, 'joe')]: 'jobs',
    [identityId(issuer.issuer, 'ann')]: 'ops',
  });
  expect(keys.map(({ id }) => id).filter((id) => id.startsWith('oidc-'))).toEqual([]);
});

describe('the dashboard', () => {
  const ours = { 'sec-fetch-site': 'same-origin' };
  const logIn = ({ corral }: TokenGateway, token: string) =>
    fetch(`${corral.origin}/dashboard/session`, {
      method: 'POST',
      headers: { ...ours, authorization: `Bearer ${token}` },
    });
  const isActive = async ({ corral }: TokenGateway, login: Response) => {
    const cookie = login.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const response = await fetch(`${corral.origin}/dashboard/session`, { headers: { ...ours, cookie } });
    return ((await response.json()) as { active: boolean }).active;
  };

  it('takes a token of an administrator; the session ends with the token, and with the rule', async () => {
    await using gateway = await startTokenGateway({ rules });
    const { issuer, writeRules } = gateway;
    expect((await logIn(gateway, await issuer.token({ groups: ['jobs'] }))).status).toBe(403);
    const long = await logIn(gateway, await issuer.token({ sub: 'ann', groups: ['admins'] }));
    expect([long.status, await isActive(gateway, long)]).toEqual([204, true]);
    const short = await waitFor('a login just before the end of its token', async () => {
      const last = await issuer.token({ sub: 'bob', groups: ['admins'], exp: seconds() - 58 });
      const login = await logIn(gateway, last);
      return login.status === 204 && login;
    });
    await waitFor('the end of the token', async () => !(await isActive(gateway, short)));
    expect(await isActive(gateway, long)).toBe(true);
    writeRules(rules.filter(({ name }) => name !== 'ops'));
    await waitFor('the end of its rights', async () => !(await isActive(gateway, long)));
  });

  it('ends the session of one subject when a rule blocks it, without its token', async () => {
    await using gateway = await startTokenGateway({ rules });
    const { issuer, writeRules } = gateway;
    const of = (sub: string) => issuer.token({ sub, groups: ['admins'] });
    const [ann, bob] = [await logIn(gateway, await of('ann')), await logIn(gateway, await of('bob'))];
    expect(await Promise.all([ann, bob].map((login) => isActive(gateway, login)))).toEqual([true, true]);
    writeRules([{ name: 'left', when: { sub: ['x', 'ann'] }, scopes: [] }, ...rules]);
    await waitFor('the end of its rights', async () => !(await isActive(gateway, ann)));
    expect(await isActive(gateway, bob)).toBe(true);
  });
});

it('without any key, the log asks for none', async () => {
  await using gateway = await startTokenGateway({ keys: '' });
  expect((await gateway.send(await gateway.issuer.token())).status).toBe(200);
  expect(JSON.stringify(gateway.corral.logged)).not.toContain('no API keys configured');
});

it('without OIDC_ISSUER nothing of it is loaded', async () => {
  const script = `import { registerHooks } from 'node:module';
    registerHooks({ load(url, context, next) { if (/node_modules.jose|gateway.oidc/.test(url)) console.log(url); return next(url, context); } });
    await import('./gateway/start-gateway.ts'); console.log('loaded');`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  expect(stdout).toBe('loaded\n');
});
