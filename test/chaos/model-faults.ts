import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { argumentsOf, killProcess } from '../harness/child-processes.ts';
import { isRunning, type ModelView } from '../harness/start-deployment.ts';
import { waitFor } from '../harness/wait-for.ts';
import { chaosModels, writeModels } from './chaos-models.ts';
import type { Fault } from './faults.ts';
import type { ChaosProduct } from './product.ts';

/** What `GET /admin/models` reports. */
interface ModelsReport {
  readonly models: readonly { readonly id: string; readonly status: string }[];
  readonly aliases: readonly { readonly name: string; readonly targets: readonly { model: string }[] }[];
  readonly problem: string | null;
}

async function callAdmin({ origin, adminSecret }: ChaosProduct, method: string, path: string, body?: object) {
  const response = await fetch(`${origin}/admin/${path}`, {
    method,
    headers: { 'x-api-key': adminSecret },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text);
}

/** The models in `/status`. */
async function statusOf({ healthOrigin }: ChaosProduct): Promise<readonly ModelView[]> {
  return ((await (await fetch(`${healthOrigin}/status`)).json()) as { models: ModelView[] }).models;
}

const reportOf = (product: ChaosProduct): Promise<ModelsReport> => callAdmin(product, 'GET', 'models');

/** A model that no request waits for is loaded later. */
const patient = { every: 50, within: 300_000 };

async function waitForReport(
  label: string,
  product: ChaosProduct,
  condition: (report: ModelsReport) => boolean,
): Promise<void> {
  await waitFor(label, async () => condition(await reportOf(product)), patient);
}

const pidsOf = (product: ChaosProduct, model: string) =>
  product.enginePids().filter((pid) => {
    const args = argumentsOf(pid);
    return args[args.indexOf('--alias') + 1] === model;
  });

let contextOfTales = 4096;

/** The engine of the model is replaced: its requests finish at the old one. */
const validEdit: Fault = {
  name: 'a valid edit of models.json',
  async inject(product) {
    contextOfTales = contextOfTales === 4096 ? 6144 : 4096;
    const models = chaosModels.models.map((model) =>
      model.id === 'tales' ? { ...model, ctx: contextOfTales } : model,
    );
    writeModels(product, JSON.stringify({ ...chaosModels, models }));
    await waitFor('an engine with the new context in its 8 slots', () =>
      pidsOf(product, 'tales').some((pid) => argumentsOf(pid).includes(String(8 * contextOfTales))),
    );
  },
};

const invalidEdit: Fault = {
  name: 'an invalid edit of models.json',
  async inject(product) {
    writeModels(product, '{"version": 1, "models": [{"id": "guide"');
    await waitForReport('the problem to be reported', product, ({ problem }) => problem !== null);
    writeModels(product, JSON.stringify(chaosModels));
    await waitForReport('the file to be valid', product, ({ problem }) => problem === null);
  },
};

const removeModel: Fault = {
  name: 'a model removed from models.json and added again',
  takesAway: 'guest',
  async inject(product) {
    const knows = (report: ModelsReport) => report.models.some(({ id }) => id === 'guest');
    const models = chaosModels.models.filter(({ id }) => id !== 'guest');
    writeModels(product, JSON.stringify({ ...chaosModels, models }));
    await waitForReport('the model to be removed', product, (report) => !knows(report));
    writeModels(product, JSON.stringify(chaosModels));
    await waitForReport('the model to be added', product, knows);
  },
};

const moveAlias: Fault = {
  name: 'an alias promoted and rolled back',
  async inject(product) {
    const countOfTargets = ({ aliases }: ModelsReport) => aliases[0]?.targets.length;
    await callAdmin(product, 'POST', 'aliases/latest/promote', { to: 'tales' });
    await waitForReport('the promotion', product, (report) => countOfTargets(report) === 1);
    await callAdmin(product, 'POST', 'aliases/latest/rollback');
    await callAdmin(product, 'PUT', 'aliases/latest', { targets: chaosModels.aliases[0]?.targets });
    await waitForReport('the shares of before', product, (report) => countOfTargets(report) === 2);
  },
};

const killLoading: Fault = {
  name: 'SIGKILL to a llama-server that loads a model on demand',
  async inject(product) {
    const pid = await waitFor('a model that loads', async () => {
      const { models } = await reportOf(product);
      const loading = models.find(({ status }) => status === 'loading');
      return loading && pidsOf(product, loading.id)[0];
    });
    killProcess(pid, 'SIGKILL');
    await waitFor('its end', () => !isRunning(pid));
  },
};

const unloadLoaded: Fault = {
  name: 'a model unloaded by an operator under load',
  async inject(product) {
    // Meanwhile a swap of the model may have begun: then the operator tries again.
    const model = await waitFor('a loaded model that may be unloaded', async () => {
      const loaded = (await statusOf(product)).find(({ status }) => status === 'loaded');
      if (loaded) await callAdmin(product, 'POST', `models/${loaded.id}/unload`);
      return loaded;
    });
    await waitFor('the model to be unloaded', async () =>
      (await statusOf(product)).some(({ id, unloads }) => id === model.id && unloads > model.unloads),
    );
  },
};

/** How often the engine of the guest has found its file to be missing. It fails then, or tries again. */
async function rejectionsOfGuest(product: ChaosProduct): Promise<number> {
  const guest = (await statusOf(product)).find(({ id }) => id === 'guest');
  return guest?.crashes['bad-model'] ?? 0;
}

/** The model comes back by itself with its file. */
const hideFile: Fault = {
  name: 'a model file that vanishes for a moment, and SIGKILL to its llama-server',
  takesAway: 'guest',
  async inject(product) {
    const file = join(product.folder, 'models/guest.gguf');
    const pid = await waitFor('an engine of the model', () => pidsOf(product, 'guest')[0]);
    const before = await rejectionsOfGuest(product);
    renameSync(file, `${file}.away`);
    try {
      killProcess(pid, 'SIGKILL');
      await waitFor('its end', () => !isRunning(pid));
      await waitFor('a load to fail', async () => (await rejectionsOfGuest(product)) > before, patient);
    } finally {
      renameSync(`${file}.away`, file);
    }
    await waitForReport('the model to be loaded', product, ({ models }) =>
      models.some(({ id, status }) => id === 'guest' && status === 'loaded'),
    );
  },
};

/** What may happen to the models of a deployment that serves several. */
export const modelFaults: readonly Fault[] = [
  validEdit,
  invalidEdit,
  killLoading,
  removeModel,
  unloadLoaded,
  moveAlias,
  hideFile,
];
