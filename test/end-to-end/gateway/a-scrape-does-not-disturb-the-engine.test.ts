import { describe, expect, it } from 'vitest';
import { requestBackend } from '../../../health/request-backend.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { type Scrape, scrape } from '../../harness/read-metrics.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { startLlamaServer } from '../../services/start-llama-server.ts';

const chat = (gateway: TestGateway, content = 'hello', signal?: AbortSignal) =>
  fetch(`${gateway.origin}/v1/chat/completions`, {
    method: 'POST',
    signal: signal ?? null,
    headers: { authorization: `Bearer ${gateway.secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content }] }),
  });

describe('a scrape', () => {
  it('neither wakes a sleeping engine nor keeps one awake', async () => {
    await using engine = await startLlamaServer({ args: ['--sleep-idle-seconds', '1'] });
    await using gateway = await startTestGateway({ backend: engine.backend });
    expect((await chat(gateway)).status).toBe(200);
    const countLogLines = (event: string) =>
      engine.output().split(`server is ${event} sleeping state`).length - 1;
    // On a slow machine it may have slept before the request, too.
    const [slept, wakeUps] = [countLogLines('entering'), countLogLines('exiting')];
    // The idle time of one second passes while it is scraped.
    let page: Scrape | undefined;
    await waitFor('the engine to sleep', async () => {
      page = await scrape(gateway.origin);
      return countLogLines('entering') > slept;
    });
    for (const _ of Array.from({ length: 4 })) {
      const before = page?.text;
      page = await waitFor('a new page', async () => {
        const next = await scrape(gateway.origin);
        return next.value('corral_engine_metrics_up') === 1 && next.text !== before && next;
      });
    }
    const props = await requestBackend(engine.backend, { path: '/props', timeoutMs: 60_000 });
    expect(props).toMatchObject({ status: 200, body: expect.stringContaining('"is_sleeping":true') });
    expect([countLogLines('entering'), countLogLines('exiting')]).toEqual([slept + 1, wakeUps]);
    expect(page?.value('corral_engine_metrics_up')).toBe(1);
    expect(page?.value('llamacpp:tokens_predicted_total')).toBeGreaterThan(0);
  });

  it('causes at most one engine request per second for any number of scrapers, and none while idle', async () => {
    let engineRequests = 0;
    await using backend = await startFakeBackend((_, response) => void response.end('{}'), {
      metrics: () => {
        engineRequests += 1;
        return `# TYPE llamacpp:n_decode_total counter\nllamacpp:n_decode_total ${engineRequests}\n`;
      },
    });
    await using gateway = await startTestGateway({ backend: backend.backend });
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: 50 }, () => scrape(gateway.origin)));
    const seconds = (performance.now() - startedAt) / 1000;
    expect(engineRequests).toBeLessThanOrEqual(1 + seconds);
    const scrapeAgain = () => scrape(gateway.origin);
    const valueNow = async () => (await scrapeAgain()).value('llamacpp:n_decode_total') ?? 0;
    // Where the scrapes take long, the first reading may have timed out.
    await waitFor('a reading', async () => (await valueNow()) > 0);
    const before = engineRequests;
    const scrapedAt = performance.now();
    await waitFor(
      'the last reading to expire',
      async () => (await scrapeAgain()) && performance.now() - scrapedAt > 1200,
    );
    expect(engineRequests).toBe(before);
    expect((await chat(gateway)).status).toBe(200);
    await waitFor('the new value', async () => (await valueNow()) > before);
  });

  it('reports the context in use while requests run', async () => {
    await using engine = await startLlamaServer({ slots: 2, context: 4096 });
    await using gateway = await startTestGateway({ backend: engine.backend, env: { CTX: '4096' } });
    // More requests than slots, so that some run for a while.
    const stop = new AbortController();
    const stories = Array.from({ length: 10 }, () => chat(gateway, 'long story', stop.signal));
    const inUse = await waitFor('context in use', async () =>
      (await scrape(gateway.origin)).value('vllm:kv_cache_usage_perc'),
    );
    expect(inUse).toBeGreaterThan(0);
    expect(inUse).toBeLessThanOrEqual(1);
    stop.abort();
    await Promise.allSettled(stories);
    await waitFor(
      'no context in use',
      async () => (await scrape(gateway.origin)).value('vllm:kv_cache_usage_perc') === 0,
    );
  });

  it('succeeds if the engine is unreachable', async () => {
    await using engine = await startLlamaServer();
    await using gateway = await startTestGateway({ backend: engine.backend });
    // A scrape waits for the engine only briefly.
    await waitFor(
      "the engine's own metrics",
      async () => (await scrape(gateway.origin)).value('corral_engine_metrics_up') === 1,
    );
    engine.kill('SIGKILL');
    const page = await waitFor('the engine to be unreachable', async () => {
      const next = await scrape(gateway.origin);
      const isLost = next.value('corral_standing', { standing: 'ready' }) === 0;
      // Its last metrics are shown for one more second.
      return isLost && next.value('corral_engine_metrics_up') === 0 && next;
    });
    expect(page.value('corral_slots')).toBe(0);
    expect(page.text).not.toContain('llamacpp:');
    expect(page.sum('corral_standing')).toBe(1);
  });

  it('does not wait for an engine that does not respond', async () => {
    await using backend = await startFakeBackend((_, response) => void response.end('{}'), {
      metrics: () => undefined,
    });
    await using gateway = await startTestGateway({ backend: backend.backend });
    const page = await scrape(gateway.origin);
    expect(page.value('corral_engine_metrics_up')).toBe(0);
    expect(page.value('corral_slots')).toBe(4);
  });
});
