import { describe, expect, it } from 'vitest';
import { requestBackend } from '../../health/request-backend.ts';
import { waitFor } from '../../test/harness/wait-for.ts';
import { startLlamaServer } from '../../test/services/start-llama-server.ts';
import { readEngineActivity } from './engine-activity.ts';

const timeoutMs = 600_000;

/** The counters of a llama-server. */
async function countersOf(server: Awaited<ReturnType<typeof startLlamaServer>>) {
  const activity = await readEngineActivity(server.backend, timeoutMs);
  if (activity.state !== 'counted') throw new Error(`got ${activity.state}`);
  return activity;
}

describe('the activity of a real llama-server', () => {
  it('shows progress inside one long prompt', async () => {
    await using server = await startLlamaServer({ slots: 1, context: 16_384, args: ['--batch-size', '128'] });
    expect(await countersOf(server)).toEqual({ state: 'counted', busySlots: 0, done: 0, isExact: true });
    // Another prompt if this process was too slow to see the progress inside the one before.
    await waitFor('progress', async () => {
      let isDone = false;
      const body = { prompt: 'word '.repeat(1000), max_tokens: 1, cache_prompt: false };
      const response = requestBackend(server.backend, { path: '/v1/completions', body, timeoutMs });
      void response.then(() => {
        isDone = true;
      });
      const counts = new Set<number>();
      while (!isDone) {
        const { busySlots, done } = await countersOf(server);
        if (busySlots === 1) counts.add(done);
      }
      expect((await response).outcome).toBe('responded');
      return counts.size >= 5;
    });
  });

  it('is silent while it is stopped, unreachable once it is gone, and unsupported without its key', async () => {
    await using server = await startLlamaServer();
    const otherKey = { ...server.backend, apiKey: 'another' };
    expect(await readEngineActivity(otherKey, timeoutMs)).toEqual({ state: 'unsupported' });
    server.kill('SIGSTOP');
    expect(await readEngineActivity(server.backend, 100)).toEqual({ state: 'silent' });
    await server.stop();
    expect(await readEngineActivity(server.backend, timeoutMs)).toEqual({ state: 'unreachable' });
  });

  it('can be read without keeping it awake', async () => {
    await using server = await startLlamaServer({ args: ['--sleep-idle-seconds', '1'] });
    const isAsleep = async () => {
      expect(await countersOf(server)).toMatchObject({ busySlots: 0 });
      const props = await requestBackend(server.backend, { path: '/props', timeoutMs });
      return props.outcome === 'responded' && props.body.includes('"is_sleeping":true');
    };
    await waitFor('sleep', isAsleep, { every: 100 });
    expect(await isAsleep()).toBe(true);
  });

  it.each([
    { args: [], expected: /^\[\[\d+,\d+,\d+\]\]$/ },
    { args: ['--no-slots'], expected: /^unsupported$/ },
  ])('includes its slots, in whole numbers, when its counters stand still: %j', async (options) => {
    const { args, expected } = options;
    await using server = await startLlamaServer({ slots: 1, args: [...args, '--batch-size', '64'] });
    const idle = await countersOf(server);
    expect(await readEngineActivity(server.backend, timeoutMs, idle.done)).toEqual(idle);
    const body = { prompt: 'word '.repeat(1000), max_tokens: 2000, ignore_eos: true };
    const client = new AbortController();
    const { signal } = client;
    const generate = () =>
      requestBackend(server.backend, { path: '/v1/completions', body, timeoutMs, signal });
    // One after the other, so that it is still busy however slow this process is.
    const generating = (async () => {
      while (!signal.aborted) await generate();
    })();
    const steps = new Set<string>();
    await waitFor('many checks', async () => {
      // As if its counters had not changed since the last check.
      const { done } = await countersOf(server);
      const activity = await readEngineActivity(server.backend, timeoutMs, done);
      if (activity.state === 'counted' && activity.slots !== undefined) steps.add(activity.slots);
      return steps.size >= 3 || (args.length > 0 && steps.size > 0);
    });
    client.abort();
    await generating;
    for (const step of steps) expect(step).toMatch(expected);
  });
});
