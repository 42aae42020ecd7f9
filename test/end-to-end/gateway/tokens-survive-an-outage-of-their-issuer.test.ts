import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { testerSecret } from '../../harness/start-gateway.ts';
import { startTokenGateway } from '../../harness/start-token-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const codeOf = ({ status, body }: { status: number; body: { error?: { code: string } } }) =>
  [status, body.error?.code] as const;

it('rotation under load rejects no token', async () => {
  await using gateway = await startTokenGateway();
  const { issuer, send } = gateway;
  const seen: number[] = [];
  let rotating = true;
  const clients = Array.from({ length: 8 }, async (_, client) => {
    for (let n = 0; rotating || n < 20; n++)
      seen.push((await send(await issuer.token({ sub: `user-${client}-${n}` }))).status);
  });
  for (let n = 0; n < 3; n++) {
    const before = seen.length;
    const old = issuer.key;
    // As real issuers do: the old key stays published while its last tokens are on their way.
    await issuer.rotate();
    issuer.published.push(old.publicKey);
    await waitFor('the load to go on', () => seen.length > before + 20);
  }
  rotating = false;
  await Promise.all(clients);
  expect(new Set(seen)).toEqual(new Set([200]));
});

it('known tokens and new ones are accepted while the issuer is down, and keys that it withdrew are not', async () => {
  await using gateway = await startTokenGateway();
  const { issuer, send, corral } = gateway;
  const known = await issuer.token({ sub: 'known' });
  expect((await send(known)).status).toBe(200);
  issuer.respond = (_, response) => response.destroy();
  const stranger = await issuer.newKey();
  expect(codeOf(await send(await stranger.sign()))).toEqual([401, 'invalid_api_key']);
  expect((await send(known)).status).toBe(200);
  expect((await send(await issuer.token({ sub: 'new' }))).status).toBe(200);
  await waitFor('the warning', () =>
    corral.logged.some(({ msg }) =>
      /keys of the issuer cannot be read: .* stay in use until/.test(String(msg)),
    ),
  );
  issuer.respond = undefined;
  const withdrawn = issuer.key;
  await issuer.rotate();
  expect((await send(await issuer.token())).status).toBe(200);
  expect(codeOf(await send(known))).toEqual([401, 'invalid_api_key']);
  expect(codeOf(await send(await withdrawn.sign()))).toEqual([401, 'invalid_api_key']);
});

it('after OIDC_STALE without the issuer tokens get 503, and keys still work', async () => {
  await using gateway = await startTokenGateway({ env: { OIDC_STALE: '300ms' } });
  const { issuer, send } = gateway;
  const token = await issuer.token();
  expect((await send(token)).status).toBe(200);
  issuer.respond = (_, response) => response.writeHead(503).end();
  await waitFor('its keys to be too old', async () => (await send(token)).status === 503);
  const response = await send(token);
  expect([...codeOf(response), response.headers.get('retry-after')]).toEqual([
    503,
    'issuer_unavailable',
    '5',
  ]);
  expect((await send(testerSecret)).status).toBe(200);
  issuer.respond = undefined;
  await waitFor('its keys to be read again', async () => (await send(token)).status === 200);
});

describe('the gateway starts, serves keys and stays bounded with an issuer', () => {
  const endless = (response: ServerResponse) => {
    response.on('error', () => undefined);
    const more = () => {
      while (!response.destroyed && response.write('"'.padEnd(65_536, 'x')));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  };
  it.each<[string, RegExp, (path: string, response: ServerResponse) => void]>([
    ['that sends without end', /sends more than 524288 bytes/, (_, response) => endless(response)],
    [
      'that responds with an error',
      /responds with 500/,
      (_, response) => response.writeHead(500).end('secret'),
    ],
    [
      'that redirects',
      /responds with 302/,
      (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    ],
    ['that sends no JSON', /is not valid JSON/, (_, response) => response.end('<html>')],
    [
      'whose document is of another',
      /names the issuer "https:\/\/evil.example"/,
      (_, response) =>
        response.end('{"issuer":"https://evil.example","jwks_uri":"https://evil.example/keys"}'),
    ],
  ])('%s', async (_, problem, respond) => {
    await using gateway = await startTokenGateway({
      prepare: (issuer) => {
        issuer.respond = respond;
      },
    });
    const { issuer, send, corral } = gateway;
    expect(codeOf(await send(await issuer.token()))).toEqual([503, 'issuer_unavailable']);
    expect((await send(testerSecret)).status).toBe(200);
    const line = corral.logged.find(({ msg }) => /keys of the issuer cannot be read/.test(String(msg)));
    expect(line?.msg).toMatch(problem);
    expect(line?.msg).not.toMatch(/secret|html|xxx/);
  });

  it('that never responds: requests with a key do not wait', async () => {
    await using gateway = await startTokenGateway({
      prepare: (issuer) => {
        issuer.respond = () => undefined;
      },
    });
    expect((await gateway.send(testerSecret)).status).toBe(200);
    expect(codeOf(await gateway.send(await gateway.issuer.token()))).toEqual([503, 'issuer_unavailable']);
    expect(gateway.corral.logged.map(({ msg }) => msg).join()).toMatch(
      /does not respond completely within 5 s/,
    );
  });

  it.each([
    [
      'of 10,000 keys',
      /has 10000 keys; at most 100 are read|sends more than 524288 bytes/,
      (key: object) => Array(10_000).fill(key),
    ],
    ['of 101 keys', /has 101 keys; at most 100 are read/, (key: object) => Array(101).fill(key)],
    ['of secrets only', /has no public key for signatures/, () => [{ kty: 'oct', k: 'AAAA' }]],
    ['of no key', /has no public key for signatures/, () => []],
  ])('with a set %s', async (_, problem, keysOf) => {
    await using gateway = await startTokenGateway({
      prepare: (issuer) => {
        issuer.published = keysOf(issuer.key.publicKey);
      },
    });
    expect(codeOf(await gateway.send(await gateway.issuer.token()))).toEqual([503, 'issuer_unavailable']);
    expect(gateway.corral.logged.map(({ msg }) => msg).join()).toMatch(problem);
  });
});
