import { killProcess } from '../harness/child-processes.ts';
import { waitFor } from '../harness/wait-for.ts';
import { ALIAS, askAlias, scrapeProduct } from './alias-client.ts';
import { openStreams, readAdminModels } from './alias-streams.ts';
import type { ModelsProduct } from './product.ts';
import { exactly, type Report } from './report.ts';
import type { ScenarioOptions } from './scenario.ts';

/** The engine of a canary is killed twice, with streams at it. */
export async function measureCrashes(
  product: ModelsProduct,
  onProgress: ScenarioOptions['onProgress'],
): Promise<Report> {
  onProgress('a canary that crashes twice');
  await setTargets(product, 'canary');
  const streams = await openStreams(product, 8, 'canary');
  for (let crash = 1; crash <= 2; crash++) {
    const pid = await waitFor(
      'the canary to answer streams',
      async () => (await busySlots(product, 'canary')) > 0 && product.pidsOf('canary')[0],
    );
    killProcess(pid, 'SIGKILL');
    await waitFor('its end', () => !product.pidsOf('canary').includes(pid));
  }
  const outcomes = await Promise.all(streams);
  const exact = outcomes.filter(({ outcome }) => outcome === 'exact').length;
  return {
    problems: outcomes.flatMap(({ problem = [] }) => problem),
    figures: [
      { name: 'crashes: streams at the canary, exact', value: exact, goal: exactly(8) },
      ...(await suspensionFigures(product, 'canary', 'crashed')),
    ],
  };
}

/** A canary that cannot be loaded. */
export async function measureBrokenCanary(
  product: ModelsProduct,
  onProgress: ScenarioOptions['onProgress'],
): Promise<Report> {
  onProgress('a canary that cannot be loaded');
  await setTargets(product, 'broken');
  const first = await Promise.all(Array.from({ length: 100 }, (_, n) => askAlias(product, `broken ${n}`)));
  const failed = first.filter(({ status }) => status !== 200);
  return {
    problems: failed.slice(0, 3).map(({ status, text }) => `broken canary: ${status} ${text}`),
    figures: [
      { name: 'broken canary: requests that failed, of 100', value: failed.length, goal: exactly(0) },
      ...(await suspensionFigures(product, 'broken', 'failed')),
    ],
  };
}

async function suspensionFigures(product: ModelsProduct, model: string, reason: string) {
  const target = async () =>
    (await aliasOf(product)).targets.find((one) => one.model === model) ?? {
      effectiveWeight: -1,
      suspended: '',
    };
  await waitFor(`${model} to be out`, async () => (await target()).suspended === reason);
  const { effectiveWeight } = await target();
  let asked = 0;
  for (let n = 0; n < 50; n++)
    if ((await askAlias(product, `after ${reason} ${n}`)).model !== 'stable') asked += 1;
  const share = (await scrapeProduct(product)).value('corral_alias_share_ratio', { alias: ALIAS, model });
  const logged = product.output().split(`the canary ${model} gets no more requests`).length - 1;
  const inStatus = (await product.status()).aliases.find(({ name }) => name === ALIAS)?.targets;
  const shown = inStatus?.find((one) => one.model === model)?.suspended;
  return [
    { name: `${reason}: weight in /admin/models`, value: effectiveWeight, goal: exactly(0) },
    { name: `${reason}: suspended in /status`, value: Number(shown === reason), goal: exactly(1) },
    { name: `${reason}: share in metrics`, value: share ?? Number.NaN, goal: exactly(0) },
    { name: `${reason}: log lines`, value: logged, goal: exactly(1) },
    { name: `${reason}: of 50 requests after it, elsewhere`, value: asked, goal: exactly(0) },
  ];
}

async function setTargets(product: ModelsProduct, canary: string): Promise<void> {
  const targets = [
    { model: 'stable', weight: 60 },
    { model: canary, weight: 40 },
  ];
  const response = await product.admin('PUT', `/admin/aliases/${ALIAS}`, { targets });
  if (!response.ok) throw new Error(`alias: ${response.status} ${await response.text()}`);
  await waitFor('the new targets', async () =>
    (await aliasOf(product)).targets.some(
      ({ model, effectiveWeight }) => model === canary && effectiveWeight > 0,
    ),
  );
}

async function aliasOf(product: ModelsProduct) {
  const { aliases } = await readAdminModels(product);
  const alias = aliases.find(({ name }) => name === ALIAS);
  if (alias === undefined) throw new Error('no alias');
  return alias;
}

async function busySlots(product: ModelsProduct, model: string): Promise<number> {
  const { models } = await readAdminModels(product);
  return models.find(({ id }) => id === model)?.slots.busy ?? 0;
}
