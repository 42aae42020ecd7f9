import { isAnthropicClient } from '../api/error-response.ts';
import type { EngineServices } from '../engines/engine-services.ts';
import { modelLoading, modelNotFound } from '../errors/catalogue.ts';
import {
  anthropicModel,
  anthropicModelPage,
  describeModel,
  getModelStatus,
  type ModelInfo,
  ollamaModelEntry,
} from '../models/model-list.ts';
import type { ModelNames } from '../models/model-names.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';

export interface ModelRouteOptions {
  readonly models: ModelNames;
  readonly engine: Pick<EngineServices, 'modelMeta' | 'monitor' | 'gate'>;
}

/** `GET /v1/models`, in the format of the API that the client uses. */
export function listModels(options: ModelRouteOptions) {
  return async (c: GatewayContext) => {
    const ids = allowedModels(options.models, c);
    const info = await getModelInfo(options);
    if (isAnthropic(c)) return c.json(anthropicModelPage(ids, info, c.req.query()));
    return c.json({
      object: 'list',
      data: ids.map((id) => describeModel(id, info)),
      models: ids.map((id) => ollamaModelEntry(id, info)),
    });
  };
}

/** `GET /v1/models/{id}`. */
export function getModel(options: ModelRouteOptions) {
  return async (c: GatewayContext) => {
    const id = c.req.param('id') ?? '';
    if (!allowedModels(options.models, c).includes(id)) throw modelNotFound(id);
    const info = await getModelInfo(options);
    return c.json(isAnthropic(c) ? anthropicModel(id, info) : describeModel(id, info));
  };
}

const isAnthropic = (c: GatewayContext) => isAnthropicClient(c.req.path, c.env.incoming.headers);

function allowedModels(models: ModelNames, c: GatewayContext): readonly string[] {
  if (models.public.length === 0) throw modelLoading(1000);
  const key = c.get('request').key;
  return models.public.filter((name) => !key || key.models.includes('*') || key.models.includes(name));
}

async function getModelInfo({ engine: { modelMeta, monitor, gate } }: ModelRouteOptions): Promise<ModelInfo> {
  const meta = await modelMeta.read();
  const { props } = monitor;
  return { meta, props, status: getModelStatus(gate.status, props) };
}
