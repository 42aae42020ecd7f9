import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeSupervisor } from '../../fakes/fake-supervisor.ts';
import { echo } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { askCached } from '../../harness/ask-cached.ts';
import { chatOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway, testerSecret } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { redisServer } from '../../services/service-catalogue.ts';
import { type RunningRedis, startRedis } from '../../services/start-redis.ts';
import { requireTestService } from '../../services/test-service.ts';

const program = await requireTestService(redisServer);
/** On a slow machine the default timeout would make a hit a miss. */
const redisTimeoutMs = 3_600_000;

describe.skipIf(program === undefined)('cached answers in Redis', () => {
  let fakeBackend: FakeBackend;
  let redis: RunningRedis;
  const start = async (port?: number) => {
    if (program) redis = await startRedis(program, port);
  };
  /** A gateway whose supervisor says which model runs. */
  async function open(identity: string): Promise<TestGateway> {
    const supervisor = fakeSupervisor();
    const { backend } = fakeBackend;
    const corral = await startTestGateway({
      backend,
      env: { RESPONSE_CACHE: 'redis', REDIS_URL: redis.url },
      redisTimeoutMs,
      parent: supervisor.channel,
      untilReady: false,
    });
    supervisor.report({ 'fake-model': { backend, identity } });
    await waitFor('the gateway to serve', () => corral.gateway.scheduler.capacity > 0);
    return corral;
  }
  const ask = ({ origin }: TestGateway, word: string) =>
    askCached(origin, testerSecret, chatOf(word, { temperature: 0, max_tokens: 5 }));
  const countLogLines = ({ logged }: TestGateway, text: string) =>
    logged.filter(({ msg }) => String(msg).includes(text)).length;

  beforeAll(async () => {
    fakeBackend = await startFakeBackend(echo);
    await start();
  });
  afterAll(async () => {
    await redis[Symbol.asyncDispose]();
    await fakeBackend.stop();
  });

  it('are shared by gateways with the same model, and outlive them', async () => {
    {
      await using one = await open('model 1');
      await using two = await open('model 1');
      await using other = await open('model 2');
      expect((await ask(one, 'shared')).cache).toBe('miss');
      await waitFor('the other gateway to find it', async () => (await ask(two, 'shared')).cache === 'hit');
      expect((await ask(other, 'shared')).cache).toBe('miss');
    }
    await using later = await open('model 1');
    expect(await ask(later, 'shared')).toMatchObject({
      cache: 'hit',
      text: expect.stringContaining('shared'),
    });
  });

  it('can be neither read nor forged by those who can read and write Redis', async () => {
    await using corral = await open('model 1');
    const read = async () => (await ask(corral, 'secret')).cache === 'hit';
    await waitFor('it to be kept', read);
    const client = new Redis(redis.url);
    const names = await client.keysBuffer('corral:response:*');
    const values = await Promise.all(names.map((name) => client.getBuffer(name)));
    expect(values.some((value) => value?.includes('secret') || value?.includes('choices'))).toBe(false);
    const [any] = values;
    for (const name of names) if (any) await client.set(name, any);
    const hits = [await ask(corral, 'secret'), await ask(corral, 'shared')];
    expect(hits.filter(({ cache }) => cache === 'hit').length).toBeLessThan(2);
    expect(hits.map(({ text }) => text)).toEqual([
      expect.stringContaining('secret'),
      expect.stringContaining('shared'),
    ]);
    for (const name of names) await client.set(name, 'x');
    expect(await ask(corral, 'secret')).toMatchObject({ status: 200, cache: 'miss' });
    client.disconnect();
  });

  it('are missing while Redis is down or hangs, and nothing fails', async () => {
    await using corral = await open('model 1');
    await waitFor('a hit', async () => (await ask(corral, 'again')).cache === 'hit');
    redis.kill('SIGKILL');
    await redis.ended;
    for (let n = 0; n < 20; n++)
      expect(await ask(corral, 'again')).toMatchObject({ status: 200, cache: 'miss' });
    await waitFor('a warning', () => countLogLines(corral, 'no responses are read from it') === 1);
    await start(redis.port);
    await waitFor('a hit', async () => (await ask(corral, 'again')).cache === 'hit');
    expect(countLogLines(corral, 'responses are read from it and kept in it again')).toBe(1);
  });

  it('are not waited for while Redis hangs', async () => {
    await using corral = await startTestGateway({
      backend: fakeBackend.backend,
      env: { RESPONSE_CACHE: 'redis', REDIS_URL: redis.url },
    });
    redis.kill('SIGSTOP');
    for (let n = 0; n < 5; n++) expect((await ask(corral, 'hung')).status).toBe(200);
    redis.kill('SIGCONT');
    await waitFor('a hit', async () => (await ask(corral, 'hung')).cache === 'hit');
  });
});
