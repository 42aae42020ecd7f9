import type { BackendMonitor } from '../../health/backend-monitor.ts';
import type { ApiError } from '../errors/api-error.ts';
import type { Failure } from '../upstream/failure.ts';
import type { ProxyResult } from './record-result.ts';
import type { RequestRecord } from './request-record.ts';
import { exchangeError } from './result-errors.ts';

/** Tells the client of an answer that did not complete: in the answer where that has begun, else by a refusal, thrown. */
export function finish(record: RequestRecord, answered: ProxyResult, watch: BackendMonitor): void {
  const { result } = answered;
  if (result.outcome === 'complete') return;
  if (result.outcome === 'failed' && !isWanted(result.failure)) watch.probeNow();
  const refusal = result.outcome === 'refused' ? result.refusal : exchangeError(result, watch.status);
  if (refusal === undefined) return;
  const relay = begunOf(answered);
  if (relay === undefined) throw refusal;
  note(record, refusal);
  relay.fail(refusal);
}

function begunOf({ result, relay }: ProxyResult) {
  return relay ?? (result.outcome === 'failed' ? result.relay : undefined);
}

function note(record: RequestRecord, { code, cause }: ApiError): void {
  record.error = code;
  record.cause = cause;
}

/** Somebody on our side of the wire ended it: nothing is learnt about the backend. */
const isWanted = ({ kind }: Failure) => kind === 'client-left' || kind === 'cancelled';
