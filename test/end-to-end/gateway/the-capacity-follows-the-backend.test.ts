import { describe, expect, it } from 'vitest';
import { silent } from '../../fakes/scenarios.ts';
import { type FakeBackend, propsWith, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const capacityOf = ({ gateway }: TestGateway) => gateway.scheduler.counts.capacity;

async function modelNames({ origin, secret }: TestGateway): Promise<string[]> {
  const answer = await fetch(`${origin}/v1/models`, { headers: { 'x-api-key': secret } });
  const { data } = (await answer.json()) as { data?: { id: string }[] };
  return data?.map(({ id }) => id) ?? [];
}

/** Another one takes its place: it was away in between. */
async function replaced(standIn: FakeBackend, corral: TestGateway, props: object | undefined) {
  standIn.health = 503;
  await waitFor('it to be away', () => corral.gateway.watch.status === 'loading');
  standIn.props = props;
  standIn.health = 200;
  await waitFor('it to be ready', () => corral.gateway.watch.status === 'ready');
}

describe('as many requests go to the backend as it has slots', () => {
  it('also where it does not say so at once', async () => {
    await using standIn = await startFakeBackend(silent, { slots: 8 });
    const { props } = standIn;
    standIn.props = undefined;
    await using corral = await startTestGateway({ backend: standIn.backend });
    expect(capacityOf(corral)).toBe(1);
    const clients = await Promise.all(Array.from({ length: 8 }, () => RawClient.connect(corral.port)));
    for (const client of clients) client.send(postOf(chatOf('hello')));
    await waitFor('seven to wait', () => corral.gateway.scheduler.counts.waiting === 7);
    expect(standIn.open).toBe(1);
    standIn.props = props;
    await waitFor('all of them to be there', () => standIn.open === 8);
    expect(capacityOf(corral)).toBe(8);
    for (const client of clients) await client[Symbol.asyncDispose]();
  });

  it('and not as many as the one before it had, whose name is forgotten, too', async () => {
    await using standIn = await startFakeBackend(silent, { slots: 8 });
    await using corral = await startTestGateway({ backend: standIn.backend });
    await replaced(standIn, corral, undefined);
    expect([capacityOf(corral), await modelNames(corral)]).toEqual([1, []]);
    standIn.props = { ...propsWith(2), model_alias: 'another' };
    await waitFor('the facts of the other', () => corral.gateway.watch.props?.slots === 2);
    expect([capacityOf(corral), await modelNames(corral)]).toEqual([2, ['another']]);
    expect(corral.logged).toContainEqual(
      expect.objectContaining({ slots: 2, msg: 'what the backend says of itself has changed' }),
    );
  });

  it('also where another came while nobody looked', async () => {
    await using standIn = await startFakeBackend(silent, { slots: 8 });
    await using corral = await startTestGateway({ backend: standIn.backend });
    await waitFor('its facts', () => capacityOf(corral) === 8);
    standIn.props = propsWith(2);
    corral.gateway.watch.probeNow();
    await waitFor('the facts of the other', () => capacityOf(corral) === 2);
  });

  it('unless MAX_CONCURRENT_REQUESTS says otherwise', async () => {
    await using standIn = await startFakeBackend(silent, { slots: 8 });
    await using corral = await startTestGateway({
      backend: standIn.backend,
      env: { MAX_CONCURRENT_REQUESTS: '3' },
    });
    standIn.props = propsWith(2);
    corral.gateway.watch.probeNow();
    await waitFor('the facts of the other', () => corral.gateway.watch.props?.slots === 2);
    expect(capacityOf(corral)).toBe(3);
  });
});
