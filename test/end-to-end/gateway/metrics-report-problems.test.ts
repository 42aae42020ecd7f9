import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ledgerFileName } from '../../../gateway/usage/ledger-file.ts';
import { DAY } from '../../../settings/durations.ts';
import { echo } from '../../fakes/scenarios.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { scrape } from '../../harness/read-metrics.ts';
import { startTestGateway, type TestGateway, testerSecret } from '../../harness/start-gateway.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { redisServer } from '../../services/service-catalogue.ts';
import { startRedis } from '../../services/start-redis.ts';
import { requireTestService } from '../../services/test-service.ts';

const redisProgram = await requireTestService(redisServer);

const waitForMetric = (
  gateway: TestGateway,
  name: string,
  value: number,
  labels: Record<string, string> = {},
) =>
  waitFor(`${name} to be ${value}`, async () => {
    const page = await scrape(gateway.origin);
    return page.value(name, labels) === value && page;
  });

const send = (gateway: TestGateway, secret: string) =>
  fetch(`${gateway.origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'hello' }] }),
  });

describe('the metrics report', () => {
  it('keys that are about to expire, and a key file that cannot be read', async () => {
    const keys = keyFileText({
      tester: { secret: testerSecret },
      brief: { secret: 'sk-brief-0123456789abcdef', expires: Date.now() + 3 * DAY },
      lasting: { secret: 'sk-lasting-0123456789abcdef', expires: Date.now() + 30 * DAY },
      off: { secret: 'sk-off-0123456789abcdef', disabled: true },
    });
    await using fakeBackend = await startFakeBackend(echo);
    await using gateway = await startTestGateway({ backend: fakeBackend.backend, keys });
    const good = await scrape(gateway.origin);
    const states = ['active', 'disabled', 'expired'].map((state) => good.value('corral_keys', { state }));
    expect(states).toEqual([3, 1, 0]);
    expect(good.value('corral_keys_expiring')).toBe(1);
    expect(good.value('corral_key_file_broken')).toBe(0);
    const loadedAt = good.value('corral_key_file_last_success_timestamp_seconds') ?? 0;
    expect(Math.abs(loadedAt - Date.now() / 1000)).toBeLessThan(3600);

    writeFileSync(gateway.keyFile, '{"version":1,"keys":[');
    const bad = await waitForMetric(gateway, 'corral_key_file_broken', 1);
    expect(bad.value('corral_key_file_failures_total')).toBeGreaterThanOrEqual(1);
    expect(bad.value('corral_keys', { state: 'active' })).toBe(3);
    writeFileSync(gateway.keyFile, keys);
    const repaired = await waitForMetric(gateway, 'corral_key_file_broken', 0);
    expect(repaired.value('corral_key_file_last_success_timestamp_seconds')).toBeGreaterThan(loadedAt);
  });

  it('a usage ledger that cannot be written', async () => {
    await using fakeBackend = await startFakeBackend(echo);
    await using folder = await temporaryFolder();
    mkdirSync(folder.file(ledgerFileName));
    await using gateway = await startTestGateway({ backend: fakeBackend.backend, folder: folder.path });
    await waitForMetric(gateway, 'corral_ledger_degraded', 1);
    rmdirSync(folder.file(ledgerFileName));
    await send(gateway, testerSecret);
    await waitFor(
      'the ledger to be written',
      async () => (await scrape(gateway.origin)).value('corral_ledger_degraded') === 0,
    );
  });

  it.skipIf(!redisProgram)(
    'that this gateway counts rate limits alone while Redis is unreachable',
    async () => {
      if (!redisProgram) return;
      await using fakeBackend = await startFakeBackend(echo);
      await using redis = await startRedis(redisProgram);
      const env = { REDIS_URL: redis.url, MAX_REQUESTS_PER_MINUTE: '1' };
      // Redis is never considered unreachable because it is slow.
      await using gateway = await startTestGateway({
        backend: fakeBackend.backend,
        env,
        redisTimeoutMs: 3_600_000,
      });
      const shared = await waitForMetric(gateway, 'corral_limits_sharing', 1, { sharing: 'together' });
      expect(shared.value('corral_limits_fallbacks_total')).toBe(0);
      redis.kill('SIGKILL');
      await redis.ended;
      await send(gateway, testerSecret);
      const local = await waitForMetric(gateway, 'corral_limits_sharing', 1, { sharing: 'alone' });
      expect(local.value('corral_limits_fallbacks_total')).toBe(1);
      expect(local.sum('corral_limits_sharing')).toBe(1);
      await send(gateway, testerSecret);
      await waitForMetric(gateway, 'corral_refusals_total', 1, { code: 'rate_limit_exceeded' });
    },
  );

  it('queued and rejected requests by priority', async () => {
    const secretOf = (id: string) => `sk-${id}-0123456789abcdefghij`;
    const keys = keyFileText({
      urgent: { secret: secretOf('urgent'), priority: 'high' },
      usual: { secret: secretOf('usual') },
    });
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    await using fakeBackend = await startFakeBackend(
      (request, response) => {
        void released.then(() => echo(request, response));
      },
      { slots: 1 },
    );
    const env = { MAX_QUEUE_SIZE: '3', MAX_QUEUE_PER_KEY: '3' };
    await using gateway = await startTestGateway({ backend: fakeBackend.backend, keys, env });
    const first = send(gateway, secretOf('usual'));
    await waitForMetric(gateway, 'corral_slots_leased', 1);
    const waiting = [
      send(gateway, secretOf('usual')),
      send(gateway, secretOf('urgent')),
      send(gateway, secretOf('urgent')),
    ];
    const queued = await waitForMetric(gateway, 'vllm:num_requests_waiting', 3);
    const depth = ['high', 'normal', 'low'].map((priority) =>
      queued.value('corral_queue_depth', { priority }),
    );
    expect(depth).toEqual([2, 1, 0]);
    expect(queued.value('vllm:num_requests_running')).toBe(1);
    expect(queued.value('corral_requests_in_flight')).toBe(4);
    expect(queued.value('corral_queue_limit')).toBe(3);
    expect((await send(gateway, secretOf('usual'))).status).toBe(503);
    release();
    for (const response of await Promise.all([first, ...waiting])) expect(response.status).toBe(200);
    await waitForMetric(gateway, 'corral_admissions_total', 1, { outcome: 'full', priority: 'normal' });
    await waitForMetric(gateway, 'corral_refusals_total', 1, { code: 'queue_full' });
    const over = await waitForMetric(gateway, 'corral_queue_wait_seconds_count', 2, { priority: 'high' });
    const granted = ['high', 'normal'].map((priority) =>
      over.value('corral_admissions_total', { outcome: 'granted', priority }),
    );
    expect(granted).toEqual([2, 2]);
    expect(over.value('corral_queue_wait_seconds_sum', { priority: 'high' })).toBeGreaterThan(0);
  });
});
