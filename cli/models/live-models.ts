import * as z from 'zod';
import { callAdmin } from '../admin-client.ts';
import type { GatewayOptions } from '../gateway-client.ts';

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
  const body = z
    .object({ models: z.array(liveModel) })
    .safeParse(await callAdmin(options, 'GET', '/admin/models'));
  if (!body.success)
    throw new Error(
      'the gateway describes its models in a form that this version does not know; use the corral of its version',
    );
  return new Map(body.data.models.map((model) => [model.id, model]));
}
