import type { BackendStatus } from '../../health/backend.ts';
import type { CancelSignal } from '../cancellation.ts';
import type { EngineServices } from '../engines/engine-services.ts';
import type { RequestedModel } from '../engines/requested-model.ts';
import { ApiError } from '../errors/api-error.ts';
import {
  backendTimeout,
  backendUnavailable,
  badGateway,
  draining,
  engineError,
  modelFailed,
  modelLoading,
  modelNotFound,
  queueFull,
  queueTimeout,
  requestCancelled,
  responseTooLarge,
} from '../errors/catalogue.ts';
import type { AdmissionResult } from '../scheduler/lease.ts';
import type { ExchangeResult } from '../upstream/exchange.ts';
import { ClientDisconnected, RequestCancelled } from '../upstream/failure.ts';

/** Long enough for a restarted engine to be back, short enough for SDKs to obey. */
const RESTART_MS = 5000;

/** The error of a request that ends before the backend has it, from the reason of its abort signal. */
export function abortError(reason: unknown): Error {
  return reason instanceof RequestCancelled ? requestCancelled() : new ClientDisconnected('the client left');
}

/** The error of a request that got no lease. While the model loads, that is the cause, whatever the state of the queue. */
export function admissionError(
  admission: Exclude<AdmissionResult, { outcome: 'granted' | 'moved' }>,
  model: RequestedModel,
  engine: EngineServices,
  signal: CancelSignal,
): Error {
  if (admission.outcome === 'left') return abortError(signal.reason);
  const { outcome, retryAfterMs } = admission;
  if (outcome === 'draining') return draining(retryAfterMs);
  if (outcome === 'lost') return lostError(model);
  const status = model.getStatus(engine);
  if (status === 'starting' || status === 'loading') return modelLoading(retryAfterMs);
  if (status === 'restarting' || status === 'failed')
    return backendUnavailable(Math.max(retryAfterMs, RESTART_MS));
  switch (outcome) {
    case 'full':
      return queueFull(retryAfterMs);
    case 'timed-out':
      return queueTimeout(retryAfterMs);
  }
}

/** The error of a request that no engine will serve. */
function lostError({ failure, name, isRemoved }: RequestedModel): ApiError {
  if (isRemoved) return modelNotFound(name);
  return failure === undefined ? backendUnavailable(RESTART_MS) : modelFailed(name, failure);
}

const lostCodes: ReadonlySet<string> = new Set(['model_failed', 'model_not_found']);

/** Whether a request failed because its model will not serve, whatever it asks. */
export const isModelLost = (error: unknown) => error instanceof ApiError && lostCodes.has(error.code);

/** The error of an exchange that did not complete; undefined if the client has left. */
export function exchangeError(
  result: Exclude<ExchangeResult, { outcome: 'complete' }>,
  status: BackendStatus,
): ApiError | undefined {
  if (result.outcome === 'declined') {
    const { error } = result;
    // Our own key was rejected, or the model is not loaded: neither is the client's fault.
    if (error.status === 401)
      return backendUnavailable(RESTART_MS, new Error('the backend rejected our API key'));
    if (error.status === 503) return status === 'ready' ? backendUnavailable(1000) : modelLoading(RESTART_MS);
    return engineError(error);
  }
  const { kind, cause } = result.failure;
  switch (kind) {
    case 'client-left':
      return undefined;
    case 'cancelled':
      return requestCancelled();
    case 'unreachable':
      return backendUnavailable(RESTART_MS, cause);
    case 'shut-down':
    case 'preempted':
      return draining(1000);
    case 'stalled':
      return backendTimeout();
    case 'not-stored':
      return cause as ApiError;
    case 'too-large':
      return responseTooLarge();
    case 'broke-off':
    case 'misunderstood':
      return badGateway(cause);
  }
}
