import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { echo } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { requestGateway } from '../../harness/request-gateway.ts';
import { startTestGateway, testerSecret } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const expiredSecret = 'sk-expired-0123456789abcdefghijklmnopqrstuvwxyz0';
const keys = keyFileText({
  tester: { secret: testerSecret },
  expired: { secret: expiredSecret, expires: Date.now() - 1000 },
});

let fakeBackend: FakeBackend;
beforeAll(async () => {
  fakeBackend = await startFakeBackend(echo);
});
afterAll(() => fakeBackend.stop());

/** A gateway, and a function that sends a request with a secret, from an address that a proxy reports. */
async function startLimitedGateway(env: Readonly<Record<string, string>> = {}) {
  const corral = await startTestGateway({ backend: fakeBackend.backend, keys, env });
  const send = (secret?: string, from?: string) =>
    requestGateway(
      corral.origin,
      'GET /v1/models',
      secret,
      from === undefined ? {} : { 'x-forwarded-for': from },
    );
  const statuses = async (times: number, secret?: string, from?: string) => {
    const seen: number[] = [];
    for (let n = 0; n < times; n++) seen.push((await send(secret, from)).status);
    return seen;
  };
  return { corral, send, statuses, [Symbol.asyncDispose]: corral.stop };
}

const wrong = 'sk-wrong';

describe('an address that guesses keys', () => {
  it('has to wait after twenty invalid keys, while valid keys are accepted', async () => {
    await using gateway = await startLimitedGateway();
    expect(new Set(await gateway.statuses(20, wrong))).toEqual(new Set([401]));
    const { status, headers, body } = await gateway.send(wrong);
    expect([status, body.error]).toEqual([
      429,
      { code: 'too_many_failed_logins', type: 'requests', param: null, message: expect.any(String) },
    ]);
    const wait = Number(headers.get('retry-after'));
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(60);
    expect(await gateway.statuses(3, testerSecret)).toEqual([200, 200, 200]);
    await waitFor('its line in the log', () =>
      gateway.corral.logged.some(
        ({ error, address }) => error === 'too_many_failed_logins' && address === '127.0.0.1',
      ),
    );
  });

  it('learns nothing of keys that exist but are not usable, and requests without a key do not count', async () => {
    await using gateway = await startLimitedGateway({ MAX_FAILED_LOGINS_PER_MINUTE: '2' });
    expect(await gateway.statuses(5)).toEqual([401, 401, 401, 401, 401]);
    expect(await gateway.statuses(3, expiredSecret)).toEqual([401, 401, 429]);
    expect(await gateway.statuses(1, wrong)).toEqual([429]);
    expect(await gateway.statuses(1)).toEqual([401]);
  });

  it('is not limited with MAX_FAILED_LOGINS_PER_MINUTE=0', async () => {
    await using gateway = await startLimitedGateway({ MAX_FAILED_LOGINS_PER_MINUTE: '0' });
    expect(new Set(await gateway.statuses(60, wrong))).toEqual(new Set([401]));
  });
});

describe('X-Forwarded-For', () => {
  it('is used from trusted proxies only', async () => {
    await using gateway = await startLimitedGateway({ MAX_FAILED_LOGINS_PER_MINUTE: '1' });
    expect(await gateway.statuses(2, wrong, '198.51.100.1')).toEqual([401, 429]);
    expect(await gateway.statuses(1, wrong, '198.51.100.2')).toEqual([429]);
  });

  it('distinguishes clients behind a trusted proxy, whatever they send themselves', async () => {
    await using gateway = await startLimitedGateway({
      MAX_FAILED_LOGINS_PER_MINUTE: '1',
      TRUSTED_PROXIES: '127.0.0.0/8,10.0.0.0/8',
    });
    expect(await gateway.statuses(2, wrong, '198.51.100.1')).toEqual([401, 429]);
    expect(await gateway.statuses(1, wrong, '6.6.6.6, 198.51.100.1, 10.1.2.3')).toEqual([429]);
    expect(await gateway.statuses(2, wrong, '198.51.100.2')).toEqual([401, 429]);
    expect(await gateway.statuses(2, wrong, '2001:db8:1:2::1')).toEqual([401, 429]);
    expect(await gateway.statuses(1, wrong, '2001:db8:1:2:ffff::9')).toEqual([429]);
    expect(await gateway.statuses(1, wrong, '2001:db8:1:3::1')).toEqual([401]);
    await waitFor('the addresses in the log', () =>
      ['198.51.100.1', '2001:db8:1:2:ffff::9'].every((one) =>
        gateway.corral.logged.some(({ address }) => address === one),
      ),
    );
  });
});
