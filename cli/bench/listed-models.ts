import type { Pool } from 'undici';
import * as z from 'zod';
import type { Target } from './target.ts';

const listedModel = z.object({
  id: z.string(),
  owned_by: z.unknown().optional(),
  /** Only llama-corral with several models has it. */
  kind: z.string().optional(),
  /** Only aliases of llama-corral have them. */
  targets: z.unknown().optional(),
});

/** A model in the list of an endpoint. */
export type ListedModel = z.output<typeof listedModel>;

const modelList = z.object({ data: z.array(listedModel) });

/** The model to measure if none is named: the only one for chats. Throws an error that lists the others. */
export async function onlyModel(pool: Pool, target: Target, apiKey: string | undefined): Promise<string> {
  const models = await listModels(pool, target, apiKey);
  const [first] = models;
  if (first === undefined) throw noModels(target, 'the list is empty');
  // With one model, llama-corral lists all its public names.
  if (first.owned_by === 'llama-corral' && first.kind === undefined) return first.id;
  const [only, ...others] = models.filter((model) => isChatModel(model) && model.targets === undefined);
  if (only === undefined)
    throw new Error(`${target.url} lists no chat models, but ${describeModels(models)}`);
  if (others.length === 0) return only.id;
  throw new Error(`${target.url} lists several models; name one with --model: ${chatModelNames(models)}`);
}

/** All models that the endpoint lists. Throws an error with the fix. */
export async function listModels(
  pool: Pool,
  target: Target,
  apiKey: string | undefined,
): Promise<readonly ListedModel[]> {
  const { basePath, url } = target;
  const headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  const { statusCode, body } = await pool
    .request({ method: 'GET', path: `${basePath}/models`, headers, headersTimeout: 60_000 })
    .catch((error: NodeJS.ErrnoException) => {
      throw new Error(`${url} does not respond (${error.code ?? error.message})`, { cause: error });
    });
  const text = await body.text();
  if (statusCode === 401 || statusCode === 403)
    throw new Error(`${url} rejected the API key (${statusCode}); ${keyAdvice}`);
  if (statusCode !== 200) throw noModels(target, String(statusCode));
  try {
    return modelList.parse(JSON.parse(text)).data;
  } catch {
    throw noModels(target, 'unexpected response');
  }
}

const noModels = ({ url }: Target, why: string) =>
  new Error(`${url} lists no models (${why}); name one with --model`);

/** Models of an unknown kind may answer chats. */
const isChatModel = ({ kind = 'chat' }: ListedModel) => kind === 'chat';

/** The models and aliases that may answer chats: `a, b, latest`. */
export function chatModelNames(models: readonly ListedModel[]): string {
  return shorten(models.filter(isChatModel));
}

/** `a (embeddings), b (rerank)`. */
function describeModels(models: readonly ListedModel[]): string {
  return shorten(models.map(({ id, kind }) => ({ id: kind === undefined ? id : `${id} (${kind})` })));
}

const MAX_SHOWN = 20;

function shorten(models: readonly Pick<ListedModel, 'id'>[]): string {
  const shown = models.slice(0, MAX_SHOWN).map(({ id }) => id);
  const more = models.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}

export const keyAdvice = 'pass an API key with --key-file, CORRAL_API_KEY or OPENAI_API_KEY';
