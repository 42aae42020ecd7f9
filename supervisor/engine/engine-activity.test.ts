import { describe, expect, it } from 'vitest';
import { requestBackend } from '../../health/request-backend.ts';
import { waitFor } from '../../test/harness/wait-for.ts';
import { startLlamaServer } from '../../test/services/start-llama-server.ts';
import { readEngineActivity } from './engine-activity.ts';

const timeoutMs = 600_000;

/** The work seen at a llama-server that counts. */
async function workOf(server: Awaited<ReturnType<typeof startLlamaServer>>) {
  const sight = await readEngineActivity(server.backend, timeoutMs);
  if (sight.seen !== 'work') throw new Error(`saw ${sight.seen}`);
  return sight;
}

describe('a look at a real llama-server', () => {
  it('sees more and more done inside one long prompt', async () => {
    await using server = await startLlamaServer({ slots: 1, context: 16_384, args: ['--batch-size', '128'] });
    expect(await workOf(server)).toEqual({ seen: 'work', busySlots: 0, done: 0, isExact: true });
    let answered = false;
    const body = { prompt: 'word '.repeat(1000), max_tokens: 1 };
    const answer = requestBackend(server.backend, { path: '/v1/completions', body, timeoutMs }).then(
      ({ outcome }) => {
        answered = true;
        return outcome;
      },
    );
    const counts = new Set<number>();
    await waitFor('more and more', async () => {
      const { busySlots, done } = await workOf(server);
      if (busySlots === 1) counts.add(done);
      return answered || counts.size >= 5;
    });
    expect(counts.size).toBeGreaterThanOrEqual(5);
    expect(await answer).toBe('answered');
  });

  it('sees nothing of one that is stopped, and that one without its key does not count', async () => {
    await using server = await startLlamaServer();
    const stranger = { ...server.backend, apiKey: 'another' };
    expect(await readEngineActivity(stranger, timeoutMs)).toEqual({ seen: 'blind' });
    server.kill('SIGSTOP');
    expect(await readEngineActivity(server.backend, 100)).toEqual({ seen: 'nothing' });
  });

  it('keeps none awake that wants to sleep', async () => {
    await using server = await startLlamaServer({ args: ['--sleep-idle-seconds', '1'] });
    const isAsleep = async () => {
      expect(await workOf(server)).toMatchObject({ busySlots: 0 });
      const props = await requestBackend(server.backend, { path: '/props', timeoutMs });
      return props.outcome === 'answered' && props.body.includes('"is_sleeping":true');
    };
    await waitFor('its sleep', isAsleep, { every: 100 });
    expect(await isAsleep()).toBe(true);
  });

  it.each([
    { args: [], told: /^\[\[\d+,\d+,\d+\]\]$/ },
    { args: ['--no-slots'], told: /^untold$/ },
  ])('asks its slots where its counters stand still, and is told in whole numbers: %j', async (options) => {
    const { args, told } = options;
    await using server = await startLlamaServer({ slots: 1, args: [...args, '--batch-size', '64'] });
    const idle = await workOf(server);
    expect(await readEngineActivity(server.backend, timeoutMs, idle.done)).toEqual(idle);
    const body = { prompt: 'word '.repeat(1000), max_tokens: 2000, ignore_eos: true };
    const left = new AbortController();
    const { signal } = left;
    const answer = requestBackend(server.backend, { path: '/v1/completions', body, timeoutMs, signal });
    const steps = new Set<string>();
    await waitFor('many looks', async () => {
      // As if its counters had said the same before.
      const { done } = await workOf(server);
      const sight = await readEngineActivity(server.backend, timeoutMs, done);
      if (sight.seen === 'work' && sight.slots !== undefined) steps.add(sight.slots);
      return steps.size >= 3 || (args.length > 0 && steps.size > 0);
    });
    left.abort();
    await answer;
    for (const step of steps) expect(step).toMatch(told);
  });
});
