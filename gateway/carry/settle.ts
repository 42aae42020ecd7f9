import type { BackendMonitor } from '../../health/watch.ts';
import type { RequestRecord } from '../record/request-record.ts';
import type { ApiError } from '../refusal/refusal.ts';
import type { Failure } from '../upstream/failure.ts';
import type { ProxyResult } from './note-answer.ts';
import { exchangeError } from './refuse-ending.ts';

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
