import { describe, expect, it } from 'vitest';
import { silent } from '../../fakes/scenarios.ts';
import { type FakeBackend, propsWith, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const capacityOf = ({ gateway }: TestGateway) => gateway.scheduler.counts.capacity;

async function modelNames({ origin, secret }: TestGateway): Promise<string[]> {
  const response = await fetch(`${origin}/v1/models`, { headers: { 'x-api-key': secret } });
  const { data } = (await response.json()) as { data?: { id: string }[] };
  return data?.map(({ id }) => id) ?? [];
}

/** Another backend takes its place: it was unavailable in between. */
async function replace(fake: FakeBackend, corral: TestGateway, props: object | undefined) {
  fake.health = 503;
  await waitFor('the backend to be unavailable', () => corral.gateway.monitor.status === 'loading');
  fake.props = props;
  fake.health = 200;
  await waitFor('the backend to be ready', () => corral.gateway.monitor.status === 'ready');
}

describe('as many requests reach the backend as it has slots', () => {
  it('even if it does not report its slots at once', async () => {
    await using fake = await startFakeBackend(silent, { slots: 8 });
    const { props } = fake;
    fake.props = undefined;
    await using corral = await startTestGateway({ backend: fake.backend });
    expect(capacityOf(corral)).toBe(1);
    const clients = await Promise.all(Array.from({ length: 8 }, () => RawClient.connect(corral.port)));
    for (const client of clients) client.send(postOf(chatOf('hello')));
    await waitFor('seven to be queued', () => corral.gateway.scheduler.counts.waiting === 7);
    expect(fake.open).toBe(1);
    fake.props = props;
    await waitFor('all to arrive', () => fake.open === 8);
    expect(capacityOf(corral)).toBe(8);
    for (const client of clients) await client[Symbol.asyncDispose]();
  });

  it('after it was replaced by another, whose model name counts, too', async () => {
    await using fake = await startFakeBackend(silent, { slots: 8 });
    await using corral = await startTestGateway({ backend: fake.backend });
    await replace(fake, corral, undefined);
    expect([capacityOf(corral), await modelNames(corral)]).toEqual([1, []]);
    fake.props = { ...propsWith(2), model_alias: 'another' };
    await waitFor('the props of the other', () => corral.gateway.monitor.props?.slots === 2);
    expect([capacityOf(corral), await modelNames(corral)]).toEqual([2, ['another']]);
    expect(corral.logged).toContainEqual(
      expect.objectContaining({ slots: 2, msg: 'the properties of the backend have changed' }),
    );
  });

  it('after it was replaced between two probes', async () => {
    await using fake = await startFakeBackend(silent, { slots: 8 });
    await using corral = await startTestGateway({ backend: fake.backend });
    await waitFor('the new capacity', () => capacityOf(corral) === 8);
    fake.props = propsWith(2);
    corral.gateway.monitor.probeNow();
    await waitFor('the props of the other', () => capacityOf(corral) === 2);
  });

  it('unless MAX_CONCURRENT_REQUESTS is set', async () => {
    await using fake = await startFakeBackend(silent, { slots: 8 });
    await using corral = await startTestGateway({
      backend: fake.backend,
      env: { MAX_CONCURRENT_REQUESTS: '3' },
    });
    fake.props = propsWith(2);
    corral.gateway.monitor.probeNow();
    await waitFor('the props of the other', () => corral.gateway.monitor.props?.slots === 2);
    expect(capacityOf(corral)).toBe(3);
  });
});
