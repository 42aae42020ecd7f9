import type { BackendWatch } from '../../health/watch.ts';
import type { Gate } from '../admission/gate.ts';
import { anthropicModel, anthropicPage } from '../anthropic/models.ts';
import { speaksAnthropic } from '../anthropic/speaks-anthropic.ts';
import type { GatewayContext } from '../door/gateway-context.ts';
import { describeModel, engineEntry, type ModelFacts, statusOf } from '../openai/model-list.ts';
import type { ModelNames } from '../openai/model-names.ts';
import type { ModelSheet } from '../openai/model-sheet.ts';
import { modelLoading, modelNotFound } from '../refusal/catalogue.ts';

export interface ModelParts {
  readonly models: ModelNames;
  readonly sheet: ModelSheet;
  readonly watch: BackendWatch;
  readonly gate: Gate;
}

/** `GET /v1/models`, in the shape of the API whose client asks. */
export function listModels(parts: ModelParts) {
  return async (c: GatewayContext) => {
    const ids = allowed(parts.models, c);
    const facts = await factsOf(parts);
    if (isAnthropic(c)) return c.json(anthropicPage(ids, facts, c.req.query()));
    return c.json({
      object: 'list',
      data: ids.map((id) => describeModel(id, facts)),
      models: ids.map((id) => engineEntry(id, facts)),
    });
  };
}

/** `GET /v1/models/{id}`. */
export function showModel(parts: ModelParts) {
  return async (c: GatewayContext) => {
    const id = c.req.param('id') ?? '';
    if (!allowed(parts.models, c).includes(id)) throw modelNotFound(id);
    const facts = await factsOf(parts);
    return c.json(isAnthropic(c) ? anthropicModel(id, facts) : describeModel(id, facts));
  };
}

const isAnthropic = (c: GatewayContext) => speaksAnthropic(c.req.path, c.env.incoming.headers);

function allowed(models: ModelNames, c: GatewayContext): readonly string[] {
  if (models.public.length === 0) throw modelLoading(1000);
  const key = c.get('key');
  return models.public.filter((name) => !key || key.models.includes('*') || key.models.includes(name));
}

async function factsOf({ sheet, watch, gate }: ModelParts): Promise<ModelFacts> {
  const meta = await sheet.read();
  const { facts } = watch;
  return { meta, facts, status: statusOf(gate.standing, facts) };
}
