import type { Key } from '../../keys/key.ts';
import { isAnthropicClient } from '../api/error-response.ts';
import { type ListedModel, listDirectory } from '../engines/listed-models.ts';
import type { ModelDirectory } from '../engines/model-directory.ts';
import type { EngineOverview } from '../engines/models-overview.ts';
import { modelLoading, modelNotFound } from '../errors/catalogue.ts';
import { adapterId, mayUseAdapter } from '../models/adapter-names.ts';
import {
  anthropicModel,
  anthropicModelPage,
  describeModel,
  getModelStatus,
  type ModelInfo,
  ollamaModelEntry,
} from '../models/model-list.ts';
import type { PublicNames } from '../models/model-names.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';

export interface ModelRouteOptions {
  readonly models: PublicNames;
  /** Undefined with one model. */
  readonly directory: ModelDirectory | undefined;
  readonly overview: EngineOverview;
}

/** `GET /v1/models`, in the format of the API that the client uses. */
export function listModels(options: ModelRouteOptions) {
  return async (c: GatewayContext) => {
    const models = (await findModels(options, c)).filter(({ listed }) => listed);
    if (isAnthropic(c)) {
      const chats = models.filter(({ kind }) => kind === 'chat');
      return c.json(anthropicModelPage(chats, c.req.query()));
    }
    return c.json({
      object: 'list',
      data: models.map((model) => describeListed(model, options)),
      models: models.map(({ id, kind, info }) => ollamaModelEntry(id, kind, info)),
    });
  };
}

/** `GET /v1/models/{id}`. */
export function getModel(options: ModelRouteOptions) {
  return async (c: GatewayContext) => {
    const id = c.req.param('id') ?? '';
    const model = (await findModels(options, c)).find((one) => one.id === id);
    if (model === undefined) throw modelNotFound(id);
    return c.json(isAnthropic(c) ? anthropicModel(id, model.info) : describeListed(model, options));
  };
}

/** Clients of OpenAI ignore the kind of a model and the targets of an alias. */
const describeListed = (
  { id, kind, info, targets, base }: ListedModel,
  { directory }: Pick<ModelRouteOptions, 'directory'>,
) => ({
  ...describeModel(id, kind, info),
  ...(directory && { kind }),
  // As OpenAI did for fine-tuned models, and vLLM does for adapters.
  ...(base !== undefined && { root: base, parent: base }),
  ...(targets && { targets }),
});

const isAnthropic = (c: GatewayContext) => isAnthropicClient(c.req.path, c.env.incoming.headers);

/** All that the key may use. */
async function findModels(options: ModelRouteOptions, c: GatewayContext): Promise<readonly ListedModel[]> {
  const { key } = c.get('request');
  if (options.directory !== undefined) {
    // The supervisor has not named them yet.
    if (options.directory.models.length === 0) throw modelLoading(1000);
    return listDirectory(options.directory, key);
  }
  const names = allowedNames(options.models, key);
  const info = await getModelInfo(options);
  const model = { kind: 'chat', listed: true, info } as const;
  const [base = ''] = options.models.public;
  const adapters = (options.models.adapters ?? []).filter((name) => mayUseAdapter(key, base, name));
  return [
    ...names.map((id) => ({ ...model, id })),
    ...adapters.map((name) => ({ ...model, id: adapterId(base, name), base })),
  ];
}

function allowedNames(models: PublicNames, key: Key | undefined): readonly string[] {
  if (models.public.length === 0) throw modelLoading(1000);
  return models.public.filter((name) => !key || key.models.includes('*') || key.models.includes(name));
}

async function getModelInfo({
  overview: { modelMeta, monitor, gate },
}: ModelRouteOptions): Promise<ModelInfo> {
  const meta = await modelMeta.read();
  const { props } = monitor;
  return { meta, props, status: getModelStatus(gate.status, props) };
}
