import type { JsonObject } from '../../../json/json-object.ts';
import { replaceLoneSurrogates } from '../../api/json.ts';
import { decodeBody, parseBody } from '../../api/request/parse-body.ts';
import { bodyOwner } from '../../proxy/body-budget.ts';
import { readBody } from '../../proxy/read-body.ts';
import type { RequestContext } from '../../proxy/request-context.ts';
import type { StoreServices } from './store-services.ts';

/**
 * The body of a request that may have whole conversations: as large as one to the engine, and its memory is limited in the
 * same way. Empty without a body. Throws an ApiError.
 */
export async function readJsonObject(
  { config: { limits, timeouts }, bodyBudget }: StoreServices,
  context: RequestContext,
): Promise<JsonObject> {
  const { incoming, controller } = context;
  const { 'content-length': length, 'transfer-encoding': encoding } = incoming.headers;
  if (encoding === undefined && Number(length ?? 0) === 0) return {};
  using allocation = bodyBudget.open(bodyOwner(context));
  const body = await readBody(incoming, {
    maxBytes: limits.maxBodyBytes,
    idleTimeout: timeouts.clientBody,
    minRate: limits.minBodyRate,
    allocation,
    signal: controller.signal,
  });
  return parseBody(replaceLoneSurrogates(decodeBody(body)));
}
