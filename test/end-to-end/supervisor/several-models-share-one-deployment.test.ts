import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startModels } from '../../harness/start-models.ts';

const GiB = 1024 ** 3;
const busy = { kind: 'busy' } as const;
const idle = { kind: 'idle', forMs: 0 } as const;

describe('several models share one deployment', () => {
  it('that shuts down when none of them has had a request for IDLE_SHUTDOWN_SECONDS', async () => {
    await using models = await startModels({
      fakes: true,
      models: [
        { id: 'a', file: 'ready' },
        { id: 'b', file: 'slow', pin: true },
      ],
      env: { IDLE_SHUTDOWN_SECONDS: '1500ms' },
    });
    // It is not idle before it is ready, which is held back until it is busy.
    await models.send(busy);
    writeFileSync(join(models.deployment.modelFolder, 'loaded'), '');
    await models.deployment.reachesStatus('ready');
    await models.demand('a');
    await models.reaches('a', 'loaded');
    expect((await models.deployment.status()).idleSeconds).toBe(0);
    await models.demand();
    await models.send(idle);
    expect(await models.deployment.exitCode()).toBe(0);
    expect(models.deployment.output()).toContain('no requests for 1.5 s (IDLE_SHUTDOWN_SECONDS)');
  });

  it('whose models are unloaded after their ttl', async () => {
    await using models = await startModels({
      fakes: true,
      models: [
        { id: 'a', file: 'ready', ttl: '1', limits: { memory: GiB } },
        { id: 'b', file: 'ready', limits: { memory: GiB } },
      ],
      env: { MEMORY_BUDGET: '8GiB' },
    });
    await models.deployment.reachesStatus('ready');
    await models.demand('a', 'b');
    await models.reaches('a', 'loaded');
    await models.reaches('b', 'loaded');
    await models.demand();
    await models.reaches('a', 'unloaded');
    expect(await models.model('b')).toMatchObject({ status: 'loaded' });
  });
});
