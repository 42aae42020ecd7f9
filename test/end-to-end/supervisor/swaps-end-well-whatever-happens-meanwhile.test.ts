import { expect, it } from 'vitest';
import { killProcess } from '../../harness/child-processes.ts';
import { type ModelsDeployment, startModels } from '../../harness/start-models.ts';
import { waitFor } from '../../harness/wait-for.ts';

const GiB = 1024 ** 3;
const ids = ['a', 'b', 'c'] as const;
const model = (id: string, ctx: number) => ({ id, ctx, file: 'ready', limits: { memory: 3 * GiB } });

/** The same numbers on each run. */
function* randomNumbers(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (state * 48_271) % 2_147_483_647;
    yield state;
  }
}

/** What may happen at any moment, with a random number. */
const events: readonly ((models: ModelsDeployment, random: number) => Promise<void>)[] = [
  (models, random) => models.demand(ids[random % 3] ?? 'a'),
  (models, random) => models.demand(ids[random % 3] ?? 'a', ids[(random + 1) % 3] ?? 'b'),
  (models) => models.demand(),
  (models, random) => models.setBusy(ids[random % 3] ?? 'a'),
  (models) => models.setBusy(),
  async (models, random) => {
    const { engines } = await models.state();
    const running = engines.filter(({ status }) => status === 'ready');
    const victim = running[random % Math.max(running.length, 1)];
    const pid = victim && (await models.pidOf(victim.id).catch(() => undefined));
    if (pid !== undefined) killProcess(pid, 'SIGKILL');
  },
  async (models, random) => models.writeModels(ids.map((id) => model(id, 512 + 256 * (random % 2)))),
  async (models, random) =>
    models.writeModels(ids.filter((id) => id !== ids[random % 3]).map((id) => model(id, 512))),
  (models, random) =>
    models.send({ kind: 'model-request', id: random, model: ids[random % 3] ?? 'a', action: 'restart' }),
  (models, random) =>
    models.send({ kind: 'model-request', id: random, model: ids[random % 3] ?? 'a', action: 'unload' }),
];

it('swaps end well whatever happens meanwhile: crashes, edits, requests of administrators', async () => {
  await using models = await startModels({
    fakes: true,
    models: ids.map((id) => model(id, 512)),
    env: {
      ...{ MEMORY_BUDGET: '7GiB', MODEL_HOLD: '0', LOG_LEVEL: 'info' },
      ...{ RESTART_DELAY_MIN: '0', RESTART_MAX_CRASHES: '1000', DRAIN_TIMEOUT: '1' },
    },
  });
  await models.deployment.reachesStatus('ready');
  await waitFor('the gateway', () => models.state());
  const random = randomNumbers(7);
  for (let n = 0; n < 100; n++) {
    const event = events[random.next().value % events.length];
    await event?.(models, random.next().value);
    // Some events meet a swap at its beginning, others at its end.
    for (let left = random.next().value % 20; left > 0; left--) await models.state();
    const { models: states } = await models.state();
    const resident = states.filter(({ status }) => status !== 'unloaded' && status !== 'failed');
    // Those that leave and those that come are never in memory together.
    expect(resident.length).toBeLessThanOrEqual(2);
  }
  await models.setBusy();
  models.writeModels(ids.map((id) => model(id, 512)));
  for (const id of [...ids, ...ids]) {
    await models.demand(id);
    await waitFor(`${id}`, async () =>
      (await models.state()).models.some((it) => it.id === id && it.status === 'loaded'),
    ).catch(async (error) => {
      throw new Error(
        `${error.message}: ${JSON.stringify(await models.state())}\n${models.deployment.output().slice(-6000)}`,
      );
    });
  }
  expect((await models.deployment.status()).standing).toBe('ready');
});
