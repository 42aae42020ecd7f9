import type { GatewayContext } from '../door/gateway-context.ts';
import type { ModelNames } from '../openai/model-names.ts';
import { modelLoading, modelNotFound } from '../refusal/catalogue.ts';

/** OpenAI's model object. Created when this process started: a date that does not wander with every call. */
function modelObject(id: string) {
  return { id, object: 'model', created: startedAt, owned_by: 'llama-corral' };
}

const startedAt = Math.floor(Date.now() / 1000);

export function listModels(models: ModelNames) {
  return (c: GatewayContext) => c.json({ object: 'list', data: allowed(models, c).map(modelObject) });
}

export function showModel(models: ModelNames) {
  return (c: GatewayContext) => {
    const id = c.req.param('id') ?? '';
    if (!allowed(models, c).includes(id)) throw modelNotFound(id);
    return c.json(modelObject(id));
  };
}

function allowed(models: ModelNames, c: GatewayContext): readonly string[] {
  if (models.public.length === 0) throw modelLoading(1000);
  const key = c.get('key');
  return models.public.filter((name) => !key || key.models.includes('*') || key.models.includes(name));
}
