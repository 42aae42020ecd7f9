import type { ModelAction } from '../../health/supervisor-messages.ts';
import type { SupervisorStatus } from '../../health/supervisor-status.ts';
import { readRegistryFile } from '../../models/registry-file.ts';
import type { RegistryPlace } from '../config.ts';
import {
  changeRejected,
  modelActionInProgress,
  modelActionsNotSupported,
  modelNotFound,
} from '../errors/catalogue.ts';
import type { SupervisorClient } from '../ipc/supervisor-client.ts';
import { viewModels } from '../models/model-views.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';

export interface AdminModelsOptions {
  readonly supervisor: SupervisorClient;
  /** Undefined with one model. */
  readonly registry: RegistryPlace | undefined;
  readonly getSupervisorStatus: () => Promise<SupervisorStatus | undefined>;
}

/** `GET /admin/models`: the state of all models, the aliases, and what is wrong with `models.json`. */
export function listModels({ supervisor, registry: place, getSupervisorStatus }: AdminModelsOptions) {
  return async (c: GatewayContext) => {
    const state = supervisor.engines;
    if (state === undefined) throw modelActionsNotSupported();
    const [status, file] = await Promise.all([getSupervisorStatus(), place && readRegistry(place)]);
    const view = viewModels({ state, registry: file?.registry, supervisor: status });
    return c.json({ ...view, problem: file?.problem ?? null });
  };
}

async function readRegistry({ file, modelsDir }: RegistryPlace) {
  try {
    return { registry: (await readRegistryFile(file, modelsDir)).registry, problem: undefined };
  } catch (error) {
    return { registry: undefined, problem: (error as Error).message };
  }
}

const messages: Readonly<Record<ModelAction, string>> = {
  load: 'The model is loaded as soon as there is memory for it, as if a request waited for it.',
  unload: 'Its requests finish first. The next request loads the model again.',
  restart: 'Its requests finish first, and new ones wait until the model is loaded again.',
};

/** `POST /admin/models/{id}/load`, `unload` and `restart`. GET /admin/models reports how far it is. */
export function requestModelAction(supervisor: SupervisorClient, action: ModelAction) {
  return async (c: GatewayContext) => {
    const id = c.req.param('id') ?? '';
    const result = await supervisor.requestModelAction(id, action);
    switch (result?.outcome) {
      case 'accepted':
        return c.json({ id, action, message: messages[action] }, 202);
      case 'unknown-model':
        throw modelNotFound(id);
      case 'in-progress':
        throw modelActionInProgress(id);
      case 'rejected':
        throw changeRejected(result.problem);
      case 'stopping':
        throw changeRejected('the server is shutting down');
      default:
        throw modelActionsNotSupported();
    }
  };
}
