import { appendFields } from '../api/json-text.ts';
import type { ApiRequest } from '../api/parse-request-body.ts';
import type { ApiRoute } from '../api/route-table.ts';
import { invalidValue, modelLoading } from '../errors/catalogue.ts';
import type { ProxyServices } from './proxy-context.ts';

/** Here llama-server repeats the client's own word for the model; everywhere else it tells the name that it serves. */
const repeating = new Set(['/v1/embeddings', '/v1/rerank']);

export function withPublicName({ upstream }: ApiRoute, request: ApiRequest, model: string): ApiRequest {
  if (!repeating.has(upstream) || request.model === model) return request;
  return { ...request, body: appendFields(request.body, `"model":${JSON.stringify(model)}`) };
}

/**
 * Refuses embeddings of another size than the model's: llama-server would make them of its own size without a word, and to
 * cut them is sound with a few models only, which do not say so.
 */
export async function checkDimensions(
  { dimensions }: ApiRequest,
  { modelSheet, watch }: ProxyServices,
): Promise<void> {
  if (dimensions === undefined) return;
  const size = (await modelSheet.read())?.n_embd;
  if (dimensions === size) return;
  if (size === undefined && watch.status !== 'ready') throw modelLoading(RETRY_MS);
  const own = size === undefined ? 'the size' : `${size}, the size`;
  throw invalidValue('dimensions', `${own} of this model's embeddings, which are not cut: leave it out`);
}

/** Until it is there, nobody knows the size. */
const RETRY_MS = 5000;
