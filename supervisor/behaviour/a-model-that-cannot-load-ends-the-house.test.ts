import { describe, expect, it } from 'vitest';
import { startHouse } from '../../scripts/harness/start-house.ts';

describe('a model that cannot load ends the house with exit code 3', () => {
  it('at once where llama-server says that it is no use, with its last lines', async () => {
    await using house = await startHouse({ mood: 'crash' });
    expect(await house.exitCode()).toBe(3);
    expect(house.output()).toContain(
      "said: 0.00.011.717 E srv    load_model: failed to load model, 'crash.gguf'",
    );
    expect(house.output()).toContain('bad-model');
    expect(house.output()).not.toContain('starts again');
  });

  it('after LOAD_TIMEOUT where it takes too long', async () => {
    await using house = await startHouse({ mood: 'deaf', env: { LOAD_TIMEOUT: '500ms' } });
    expect(await house.exitCode()).toBe(3);
    expect(house.output()).toContain('LOAD_TIMEOUT');
  });

  it('where llama-server comes up as a router, which has no model of its own', async () => {
    await using house = await startHouse({ mood: 'router' });
    expect(await house.exitCode()).toBe(3);
    expect(house.output()).toContain('llama-server started as a router and serves no model of its own');
    expect(house.output()).not.toMatch(/standing: ready|first token/);
  });
});
