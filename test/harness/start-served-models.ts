import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { ModelStatus } from '../../health/supervisor-messages.ts';
import { servesModel } from './child-processes.ts';
import { type ModelView, newFolder, type RunningDeployment, startDeployment } from './start-deployment.ts';
import { waitFor } from './wait-for.ts';

/** The content of `models.json`. */
export interface ModelsFile {
  readonly models: readonly object[];
  readonly aliases?: readonly object[];
}

/** A supervisor with real llama-servers and the real gateway. */
export interface ServedModels extends AsyncDisposable {
  readonly deployment: RunningDeployment;
  /** Of the gateway; OpenAI clients add `/v1`. */
  readonly origin: string;
  write(file: ModelsFile): void;
  model(id: string): Promise<ModelView>;
  reaches(id: string, status: ModelStatus): Promise<void>;
  post(path: string, body: object, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** The text of a chat. */
  chat(model: string, content: string, fields?: object): Promise<string>;
  /** The processes of the engines of a model. */
  pidsOf(model: string): number[];
  /** Waits until there is one. */
  pidOf(model: string): Promise<number>;
}

export async function startServedModels(
  file: ModelsFile,
  env: Readonly<Record<string, string>> = {},
): Promise<ServedModels> {
  const folder = newFolder();
  const path = join(folder, 'data', 'models.json');
  mkdirSync(join(folder, 'data'), { recursive: true });
  const write = (content: ModelsFile) => {
    writeFileSync(`${path}.new`, JSON.stringify({ version: 1, ...content }));
    renameSync(`${path}.new`, path);
  };
  write(file);
  const deployment = await startDeployment({
    folder,
    real: { engine: inject('engine'), model: '' },
    env: { MODEL_PATH: '', AUTH_ENABLED: 'false', MAX_REQUESTS_PER_MINUTE: '0', ...env },
  });
  const origin = `http://127.0.0.1:${deployment.gatewayPort}`;
  const post: ServedModels['post'] = (route, body, headers = {}) =>
    fetch(`${origin}${route}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const result: ServedModels = {
    ...{ deployment, origin, write, post },
    async model(id) {
      const { models = [] } = await deployment.status();
      const found = models.find((view) => view.id === id);
      if (!found) throw new Error(`no model ${id} in ${JSON.stringify(models)}`);
      return found;
    },
    async reaches(id, status) {
      await waitFor(`${id} to be ${status}`, async () => (await result.model(id)).status === status).catch(
        (error) => {
          throw new Error(`${error.message}; its output:\n${deployment.output()}`, { cause: error });
        },
      );
    },
    async chat(model, content, fields = {}) {
      const body = {
        model,
        messages: [{ role: 'user', content }],
        temperature: 0,
        ...fields,
      };
      const response = await post('/v1/chat/completions', body);
      if (response.status !== 200)
        throw new Error(`${model}: ${response.status} ${await response.text()}; ${deployment.output()}`);
      const { choices } = (await response.json()) as { choices: { message: { content: string } }[] };
      return choices[0]?.message.content ?? '';
    },
    pidsOf: (model) => deployment.children().filter((pid) => servesModel(pid, model)),
    pidOf: (model) => waitFor(`an engine of ${model}`, () => result.pidsOf(model)[0]),
    [Symbol.asyncDispose]: () => deployment[Symbol.asyncDispose](),
  };
  await waitFor('the gateway', async () => (await fetch(`${origin}/livez`)).ok).catch((error) => {
    throw new Error(`${error.message}; its output:\n${deployment.output()}`, { cause: error });
  });
  return result;
}
