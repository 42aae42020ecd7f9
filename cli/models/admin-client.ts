import * as z from 'zod';
import { callGateway, findGateway, type GatewayOptions, readErrorBody } from '../gateway-client.ts';

const timeoutMs = 30_000;

/** Calls a route below `/admin` of the running gateway. Throws an error with the fix. */
export async function callAdmin(
  options: GatewayOptions,
  method: 'GET' | 'POST',
  path: string,
): Promise<unknown> {
  const gateway = await findGateway(options);
  const signal = AbortSignal.timeout(timeoutMs);
  const response = await callGateway(gateway, `/admin${path}`, { method, signal });
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok) return body;
  throw new Error(explain(response.status, body, gateway.origin));
}

function explain(status: number, body: unknown, origin: string): string {
  const { message, code } = readErrorBody(body);
  if (status === 401 || status === 403) {
    return `the gateway at ${origin} wants a key with the scope admin (HTTP ${status}): pass it with --key-file or CORRAL_API_KEY`;
  }
  if (status === 405 || (status === 404 && code !== 'model_not_found')) {
    return `the gateway at ${origin} has no routes for models (HTTP ${status}): it serves one model without a models.json, or is of an older version`;
  }
  return `the gateway at ${origin} responded with HTTP ${status}${message === undefined ? '' : `: ${message}`}`;
}

const liveModel = z.looseObject({
  id: z.string(),
  status: z.string(),
  memory: z.number().nullish(),
  loadProgress: z.number().nullish(),
  failure: z.string().nullish(),
});

/** The state of a model in memory. */
export type LiveModel = z.output<typeof liveModel>;

/** The models of the running gateway, by their ids. */
export async function readLiveModels(options: GatewayOptions): Promise<ReadonlyMap<string, LiveModel>> {
  const body = z.object({ models: z.array(liveModel) }).safeParse(await callAdmin(options, 'GET', '/models'));
  if (!body.success)
    throw new Error('the gateway describes its models in a form that this version does not know');
  return new Map(body.data.models.map((model) => [model.id, model]));
}
