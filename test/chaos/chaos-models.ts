import { copyFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectedEmbedding, similarity } from '../services/demo-model-values.ts';
import { demoModelFile } from '../services/demo-models.ts';
import type { ChaosProduct } from './product.ts';
import { type ChaosRequest, requestsOf } from './requests.ts';
import { type SdkRequest, sdkRequests } from './sdk-requests.ts';

const GiB = 1024 ** 3;
const limits = { memory: 3 * GiB };

const [guide, tales, embeddings, guest] = [
  { id: 'guide', file: 'guide.gguf', parallel: 8, limits },
  { id: 'tales', file: 'tales.gguf', parallel: 8, limits },
  { id: 'embeddings', file: 'embeddings.gguf', kind: 'embeddings', ctx: 512, parallel: 4, limits },
  { id: 'guest', file: 'guest.gguf', parallel: 4, limits },
] as const;

const latest = {
  name: 'latest',
  targets: [
    { model: 'guide', weight: 70 },
    { model: 'tales', weight: 30 },
  ],
};

/** `models.json`: two chat models, of which one is also the canary of an alias, one for embeddings, and one that comes and goes. */
export const chaosModels = { version: 1, models: [guide, tales, embeddings, guest], aliases: [latest] };

/** Writes the model files and `models.json`. The variables have memory for two models. */
export async function prepareChaosModels(): Promise<(folder: string) => Record<string, string>> {
  const files = [
    ['guide', await demoModelFile('guide')],
    ['tales', await demoModelFile('tales')],
    ['embeddings', await demoModelFile('embeddings')],
    ['guest', await demoModelFile('tales')],
  ] as const;
  return (folder) => {
    const modelsDir = join(folder, 'models');
    mkdirSync(modelsDir);
    for (const [name, file] of files) copyFileSync(file, join(modelsDir, `${name}.gguf`));
    mkdirSync(join(folder, 'data'), { recursive: true });
    writeFileSync(modelsFile({ dataDir: join(folder, 'data') }), JSON.stringify(chaosModels));
    return { MODELS_DIR: modelsDir, MEMORY_BUDGET: '7GiB', MODEL_HOLD: '1s', THREADS: '1' };
  };
}

export const modelsFile = ({ dataDir }: Pick<ChaosProduct, 'dataDir'>) => join(dataDir, 'models.json');

/** Replaces `models.json` as an editor does. */
export function writeModels(product: ChaosProduct, text: string): void {
  const file = modelsFile(product);
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

const sentence = 'the keys of the queue are counted';

/** The text says how the vector differs from the one that is known without a neural network. */
const embedding: SdkRequest = {
  name: 'embedding',
  async send({ openai, model }) {
    const startedAt = performance.now();
    const { data, usage } = await openai.embeddings.create({
      ...{ model, input: sentence, encoding_format: 'float' },
    });
    const closeness = similarity(data[0]?.embedding ?? [], expectedEmbedding(sentence));
    return {
      text: closeness > 0.9999 ? 'the right vector' : `a vector with the similarity ${closeness}`,
      finish: undefined,
      input: usage.prompt_tokens,
      output: 0,
      ids: 1,
      longestPause: performance.now() - startedAt,
    };
  },
};

/** To all topics but one the tales greet, in a text that is tokenized differently when it is continued. */
const toTales: readonly SdkRequest[] = sdkRequests.map((request) =>
  request.name.includes('long story') ? request : { ...request, outputVaries: true },
);

/** Requests to all models and to the alias, mixed. */
export const chaosRequests: readonly ChaosRequest[] = interleave([
  requestsOf('guide'),
  requestsOf('tales', { from: toTales }),
  requestsOf('latest', { targets: ['guide', 'tales'], from: toTales.slice(0, 7) }),
  requestsOf('embeddings', { from: [embedding] }),
  requestsOf('guest', { from: toTales.slice(0, 2) }),
]);

function interleave<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, n) => lists.flatMap((list) => list.slice(n, n + 1))).flat();
}
