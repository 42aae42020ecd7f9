import type { BackendWatch } from '../../health/watch.ts';
import type { RequestRecord } from '../record/request-record.ts';
import type { Refusal } from '../refusal/refusal.ts';
import type { Failure } from '../upstream/failure.ts';
import type { Answered } from './note-answer.ts';
import { refuseEnding } from './refuse-ending.ts';

/** Tells the client of an answer that did not complete: in the answer where that has begun, else by a refusal, thrown. */
export function settle(record: RequestRecord, answered: Answered, watch: BackendWatch): void {
  const { ending } = answered;
  if (ending.outcome === 'complete') return;
  if (ending.outcome === 'failed' && !isWanted(ending.failure)) watch.nudge();
  const refusal = ending.outcome === 'refused' ? ending.refusal : refuseEnding(ending, watch.standing);
  if (refusal === undefined) return;
  const relay = begunOf(answered);
  if (relay === undefined) throw refusal;
  note(record, refusal);
  relay.breakOff(refusal);
}

function begunOf({ ending, relay }: Answered) {
  return relay ?? (ending.outcome === 'failed' ? ending.relay : undefined);
}

function note(record: RequestRecord, { code, cause }: Refusal): void {
  record.error = code;
  record.cause = cause;
}

/** Somebody on our side of the wire ended it: nothing is learnt about the backend. */
const isWanted = ({ kind }: Failure) => kind === 'client-left' || kind === 'cancelled';
