import type { BackendStatus } from '../../health/backend-status.ts';
import type { ApiError } from '../errors/api-error.ts';
import {
  backendTimeout,
  backendUnavailable,
  badGateway,
  draining,
  engineError,
  modelLoading,
  queueFull,
  queueTimeout,
  requestCancelled,
  responseTooLarge,
} from '../errors/catalogue.ts';
import type { AdmissionResult } from '../scheduler/scheduler.ts';
import type { ExchangeResult } from '../upstream/exchange.ts';
import { abortError } from './abort-error.ts';

/** Long enough for a restarted engine to be back, short enough for the SDKs to obey. */
const RESTART_MS = 5000;

/** What to tell a request that got no lease. While the model loads, that is the reason, whatever the line looks like. */
export function admissionError(
  admitted: Exclude<AdmissionResult, { outcome: 'granted' }>,
  standing: BackendStatus,
  signal: AbortSignal,
): Error {
  if (admitted.outcome === 'left') return abortError(signal.reason);
  const { retryAfterMs } = admitted;
  if (admitted.outcome === 'draining') return draining(retryAfterMs);
  if (admitted.outcome === 'lost') return backendUnavailable(RESTART_MS);
  if (standing === 'starting' || standing === 'loading') return modelLoading(retryAfterMs);
  if (standing === 'restarting' || standing === 'failed')
    return backendUnavailable(Math.max(retryAfterMs, RESTART_MS));
  return admitted.outcome === 'full' ? queueFull(retryAfterMs) : queueTimeout(retryAfterMs);
}

/** What to tell of an exchange that did not complete; undefined where nobody is left to tell. */
export function exchangeError(
  ending: Exclude<ExchangeResult, { outcome: 'complete' }>,
  standing: BackendStatus,
): ApiError | undefined {
  if (ending.outcome === 'declined') {
    const { error } = ending;
    // Our own key was refused, or the model is away: neither is the client's doing.
    if (error.status === 401) return backendUnavailable(RESTART_MS, new Error('the backend refused our key'));
    if (error.status === 503)
      return standing === 'ready' ? backendUnavailable(1000) : modelLoading(RESTART_MS);
    return engineError(error);
  }
  const { kind, cause } = ending.failure;
  switch (kind) {
    case 'client-left':
      return undefined;
    case 'cancelled':
      return requestCancelled();
    case 'unreachable':
      return backendUnavailable(RESTART_MS, cause);
    case 'shut-down':
      return draining(1000);
    case 'stalled':
      return backendTimeout('the engine stayed silent for too long.');
    case 'too-large':
      return responseTooLarge();
    case 'broke-off':
    case 'misunderstood':
      return badGateway(cause);
  }
}
