import type { ModelAction, ModelRequestOutcome } from '../health/supervisor-messages.ts';
import type { ServedModel } from './served-model.ts';

const accepted = { outcome: 'accepted' } as const;
const inProgress = { outcome: 'in-progress' } as const;
const rejected = (problem: string) => ({ outcome: 'rejected', problem }) as const;

/** What an administrator requests for a model. A load is only noted here: the placement has to find room for it. */
export function requestAction(model: ServedModel, action: ModelAction): ModelRequestOutcome {
  if (model.isElsewhere)
    return rejected(`${model.id} is served by backends that run elsewhere; ${action} it there`);
  switch (action) {
    case 'load':
      return requestLoad(model);
    case 'unload':
      return requestUnload(model);
    default:
      return requestRestart(model);
  }
}

function requestLoad(model: ServedModel): ModelRequestOutcome {
  model.forgetFailure();
  model.usage.request(performance.now());
  return accepted;
}

function requestUnload(model: ServedModel): ModelRequestOutcome {
  if (model.pin) return rejected(`${model.id} is pinned: unpin it first`);
  if (model.isUnloading) return accepted;
  if (model.status === 'loading') return inProgress;
  model.usage.withdrawRequest();
  model.unload();
  return accepted;
}

/** Each engine drains first. One that is not loaded, because it has failed or was unloaded, is loaded. */
function requestRestart(model: ServedModel): ModelRequestOutcome {
  if (!model.isResident) return requestLoad(model);
  const running = model.engines.filter(({ process }) => process !== undefined);
  if (running.some(({ isReplacing, isUnloading }) => isReplacing || isUnloading)) return inProgress;
  for (const engine of running) engine.requestRestart({});
  return accepted;
}
