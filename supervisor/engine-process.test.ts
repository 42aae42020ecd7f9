import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startBoot } from './boot.ts';
import { EngineProcess } from './engine-process.ts';
import { defaultPolicy } from './process/restart-policy.ts';

const minute = 60_000;

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
  });
});
afterEach(() => {
  vi.useRealTimers();
});

/** The signals that a llama-server gets that never responds, in the first minutes of its load. */
async function signalsWhileSilent({ wasLoadedBefore }: { wasLoadedBefore: boolean }): Promise<string[]> {
  const signals: string[] = [];
  const address = { origin: 'http://llama-server', socketPath: '/nowhere/engine.sock' };
  const nothing = () => {};
  const engine = new EngineProcess({
    config: { loadTimeoutMs: 30 * minute, hangTimeoutMs: 3000, policy: defaultPolicy },
    backend: { address, apiKey: 'secret' },
    boot: startBoot(),
    wasLoadedBefore,
    spawn: () => ({
      ...{ pid: 1, exited: new Promise(nothing), send: nothing },
      signal: (signal) => signals.push(signal),
      kill: () => signals.push('SIGKILL'),
    }),
    isFatal: () => false,
    owner: {
      ...{ maySleep: false, changed: nothing, exited: nothing, ready: nothing, failed: nothing },
      rollBack: () => false,
    },
    events: { crashed: nothing, stillLoading: nothing, firstTokenFailed: nothing, engineHung: nothing },
  });
  engine.process.start();
  for (let passed = 0; passed < 2 * minute && signals.length < 2; passed += 100) {
    await vi.advanceTimersByTimeAsync(100);
    await turn();
  }
  engine.close();
  return signals;
}

it('a llama-server that does not respond at all is ended if an earlier one has loaded the model', async () => {
  expect(await signalsWhileSilent({ wasLoadedBefore: true })).toEqual(['SIGABRT', 'SIGKILL']);
});

it('the first one may download the model first, and has LOAD_TIMEOUT', async () => {
  expect(await signalsWhileSilent({ wasLoadedBefore: false })).toEqual([]);
});
