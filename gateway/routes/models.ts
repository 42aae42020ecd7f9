import type { BackendMonitor } from '../../health/backend-monitor.ts';
import { isAnthropicClient } from '../api/error-response.ts';
import { modelLoading, modelNotFound } from '../errors/catalogue.ts';
import {
  anthropicModel,
  anthropicModelPage,
  describeModel,
  getModelStatus,
  type ModelInfo,
  ollamaModelEntry,
} from '../models/model-list.ts';
import type { ModelMetaCache } from '../models/model-meta-cache.ts';
import type { ModelNames } from '../models/model-names.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';
import type { CapacityGate } from '../scheduler/capacity-gate.ts';

export interface ModelRouteOptions {
  readonly models: ModelNames;
  readonly modelMeta: ModelMetaCache;
  readonly monitor: BackendMonitor;
  readonly gate: CapacityGate;
}

/** `GET /v1/models`, in the shape of the API whose client asks. */
export function listModels(parts: ModelRouteOptions) {
  return async (c: GatewayContext) => {
    const ids = allowed(parts.models, c);
    const facts = await factsOf(parts);
    if (isAnthropic(c)) return c.json(anthropicModelPage(ids, facts, c.req.query()));
    return c.json({
      object: 'list',
      data: ids.map((id) => describeModel(id, facts)),
      models: ids.map((id) => ollamaModelEntry(id, facts)),
    });
  };
}

/** `GET /v1/models/{id}`. */
export function getModel(parts: ModelRouteOptions) {
  return async (c: GatewayContext) => {
    const id = c.req.param('id') ?? '';
    if (!allowed(parts.models, c).includes(id)) throw modelNotFound(id);
    const facts = await factsOf(parts);
    return c.json(isAnthropic(c) ? anthropicModel(id, facts) : describeModel(id, facts));
  };
}

const isAnthropic = (c: GatewayContext) => isAnthropicClient(c.req.path, c.env.incoming.headers);

function allowed(models: ModelNames, c: GatewayContext): readonly string[] {
  if (models.public.length === 0) throw modelLoading(1000);
  const key = c.get('key');
  return models.public.filter((name) => !key || key.models.includes('*') || key.models.includes(name));
}

async function factsOf({ modelMeta, monitor, gate }: ModelRouteOptions): Promise<ModelInfo> {
  const meta = await modelMeta.read();
  const { props } = monitor;
  return { meta, props, status: getModelStatus(gate.status, props) };
}
