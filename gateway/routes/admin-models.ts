import type { ModelAction } from '../../health/supervisor-messages.ts';
import { type ModelsReportSources, reportModels } from '../engines/models-report.ts';
import {
  changeRejected,
  modelActionInProgress,
  modelActionsNotSupported,
  modelNotFound,
} from '../errors/catalogue.ts';
import type { SupervisorClient } from '../ipc/supervisor-client.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';

/** `GET /admin/models`: the state of all models, the aliases, and what is wrong with `models.json`. */
export function listModels(options: ModelsReportSources) {
  return async (c: GatewayContext) => {
    const report = await reportModels(options);
    if (report === undefined) throw modelActionsNotSupported();
    return c.json(report);
  };
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
