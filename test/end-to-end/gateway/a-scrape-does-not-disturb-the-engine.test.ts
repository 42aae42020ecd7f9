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
    const told = (words: string) => engine.output().split(`server is ${words} sleeping state`).length - 1;
    // A slow machine may have given it the time to sleep before the request, too.
    const [slept, woke] = [told('entering'), told('exiting')];
    // The idle time of a second passes under scrapes.
    let page: Scrape | undefined;
    await waitFor('it to fall asleep', async () => {
      page = await scrape(gateway.origin);
      return told('entering') > slept;
    });
    for (const _ of Array.from({ length: 4 })) {
      const before = page?.text;
      page = await waitFor('a fresh page', async () => {
        const next = await scrape(gateway.origin);
        return next.value('corral_engine_metrics_up') === 1 && next.text !== before && next;
      });
    }
    const props = await requestBackend(engine.backend, { path: '/props', timeoutMs: 2000 });
    expect(props).toMatchObject({ status: 200, body: expect.stringContaining('"is_sleeping":true') });
    expect([told('entering'), told('exiting')]).toEqual([slept + 1, woke]);
    expect(page?.value('corral_engine_metrics_up')).toBe(1);
    expect(page?.value('llamacpp:tokens_predicted_total')).toBeGreaterThan(0);
  });

  it('causes at most one engine request per second for any number of scrapers, and none while idle', async () => {
    let questions = 0;
    await using backend = await startFakeBackend((_, response) => void response.end('{}'), {
      metrics: () => {
        questions += 1;
        return `# TYPE llamacpp:n_decode_total counter\nllamacpp:n_decode_total ${questions}\n`;
      },
    });
    await using gateway = await startTestGateway({ backend: backend.backend });
    const began = performance.now();
    await Promise.all(Array.from({ length: 50 }, () => scrape(gateway.origin)));
    const seconds = (performance.now() - began) / 1000;
    expect(questions).toBeLessThanOrEqual(1 + seconds);
    const before = questions;
    const fresh = () => scrape(gateway.origin);
    const asked = performance.now();
    await waitFor('the reading to be old', async () => (await fresh()) && performance.now() - asked > 1200);
    expect(questions).toBe(before);
    expect((await chat(gateway)).status).toBe(200);
    await waitFor(
      'the change to be seen',
      async () => (await fresh()).value('llamacpp:n_decode_total') === before + 1,
    );
  });

  it('reports the context in use while requests run', async () => {
    await using engine = await startLlamaServer({ slots: 2, context: 4096 });
    await using gateway = await startTestGateway({ backend: engine.backend, env: { CTX: '4096' } });
    // More than the slots, so that there is something to see for a while.
    const enough = new AbortController();
    const stories = Array.from({ length: 10 }, () => chat(gateway, 'long story', enough.signal));
    const inUse = await waitFor('some to be in use', async () =>
      (await scrape(gateway.origin)).value('vllm:kv_cache_usage_perc'),
    );
    expect(inUse).toBeGreaterThan(0);
    expect(inUse).toBeLessThanOrEqual(1);
    enough.abort();
    await Promise.allSettled(stories);
    await waitFor(
      'none to be',
      async () => (await scrape(gateway.origin)).value('vllm:kv_cache_usage_perc') === 0,
    );
  });

  it('succeeds if the engine is unreachable', async () => {
    await using engine = await startLlamaServer();
    await using gateway = await startTestGateway({ backend: engine.backend });
    // A scrape does not wait for long.
    await waitFor(
      "the engine's own figures",
      async () => (await scrape(gateway.origin)).value('corral_engine_metrics_up') === 1,
    );
    engine.kill('SIGKILL');
    const page = await waitFor('the loss to be seen', async () => {
      const next = await scrape(gateway.origin);
      const isLost = next.value('corral_standing', { standing: 'ready' }) === 0;
      // What it said last is shown for a second more.
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
