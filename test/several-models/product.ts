import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AliasState } from '../../health/supervisor-messages.ts';
import { findOrFetchEngine } from '../../scripts/engine/find-engine.ts';
import { cacheFolder } from '../../scripts/project-folders.ts';
import { childPids, servesModel } from '../harness/child-processes.ts';
import { keyFileText } from '../harness/key-file-text.ts';
import type { ModelView } from '../harness/start-deployment.ts';
import { type Product, startProduct } from '../harness/start-product.ts';
import type { ModelsFile } from '../harness/start-served-models.ts';

const secretOf = (id: string) => `sk-${id}-0123456789abcdefghijklmnopqrstuvwxyz`;

/** The keys of the product. */
export const secrets = { first: secretOf('first'), second: secretOf('second'), admin: secretOf('admin') };

/** What `/status` on the health port shows. */
export interface StatusView {
  readonly standing: string;
  readonly models: readonly ModelView[];
  readonly aliases: readonly AliasState[];
}

/** The product with several models. Its output is JSON lines. */
export interface ModelsProduct extends Product {
  /** Replaces `models.json`. */
  write(file: ModelsFile): void;
  status(): Promise<StatusView>;
  model(id: string): Promise<ModelView>;
  /** The processes of the engines of a model. */
  pidsOf(model: string): number[];
  /** A request with the key that has the scope `admin`. */
  admin(method: 'GET' | 'POST' | 'PUT', path: string, body?: object): Promise<Response>;
}

/** Finds or fetches an engine as the product does. */
export const findTestEngine = () =>
  findOrFetchEngine(
    { configured: process.env.LLAMA_SERVER_BIN, searchPath: process.env.PATH, cache: cacheFolder },
    (text) => console.error(text),
  );

export async function startModelsProduct(
  file: ModelsFile,
  env: Readonly<Record<string, string>> = {},
): Promise<ModelsProduct> {
  await findTestEngine();
  const write = (folder: string, content: ModelsFile) => {
    const path = join(folder, 'models.json');
    writeFileSync(`${path}.new`, JSON.stringify({ version: 1, ...content }));
    renameSync(`${path}.new`, path);
  };
  const settings = (folder: string) => {
    const [data, temporary] = [join(folder, 'data'), join(folder, 't')];
    mkdirSync(data);
    mkdirSync(temporary);
    const keys = {
      first: { secret: secrets.first },
      second: { secret: secrets.second },
      admin: { secret: secrets.admin, scopes: ['admin'] as const },
    };
    writeFileSync(join(data, 'keys.json'), keyFileText(keys), { mode: 0o600 });
    write(folder, file);
    // A demo model's tokens are so cheap that a second thread would only wait for the first.
    return { MODELS_FILE: join(folder, 'models.json'), TMPDIR: temporary, THREADS: '1', ...env };
  };
  const product = await startProduct(settings, ['serve']);
  const status = async () => (await (await fetch(`${product.healthOrigin}/status`)).json()) as StatusView;
  return {
    ...product,
    write: (content) => write(product.folder, content),
    status,
    async model(id) {
      const { models } = await status();
      const found = models.find((model) => model.id === id);
      if (!found) throw new Error(`no model ${id} in ${JSON.stringify(models)}`);
      return found;
    },
    pidsOf: (model) => childPids(product.process).filter((pid) => servesModel(pid, model)),
    admin: (method, path, body) =>
      fetch(`${product.origin}${path}`, {
        method,
        headers: { 'x-api-key': secrets.admin },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
  };
}
