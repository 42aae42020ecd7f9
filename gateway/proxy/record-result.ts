import type { ApiRequest } from '../api/parse-request-body.ts';
import type { ApiRoute } from '../api/route-table.ts';
import { readErrorCode } from '../api/stream-markers.ts';
import { readFinishReason, readUsage, type Usage } from '../api/usage.ts';
import type { ApiError } from '../errors/api-error.ts';
import type { EventStreamRelay } from '../upstream/event-stream-relay.ts';
import type { ExchangeResult } from '../upstream/exchange.ts';
import type { ResponseTail } from '../upstream/relay.ts';
import type { AbandonedInputCounter } from './count-abandoned-input.ts';
import type { RequestRecord } from './request-record.ts';

export interface ProxyResult {
  readonly route: ApiRoute;
  readonly request: ApiRequest;
  /** How its last exchange ended, or why there will be no other. */
  readonly result: ExchangeResult | { readonly outcome: 'refused'; readonly refusal: ApiError };
  readonly tail: ResponseTail;
  /** Of a stream that has begun, and may have to be broken off. */
  readonly relay: EventStreamRelay | undefined;
}

/** Reads what the answer said of itself into the record; a broken off one tells what it had come to. */
export function recordResult(
  record: RequestRecord,
  answered: ProxyResult,
  input: AbandonedInputCounter,
): void {
  const { result, tail } = answered;
  record.bytesOut = tail.bytes;
  const text = tail.text();
  if (tail.firstByteAt !== undefined) record.firstByteAt = tail.firstByteAt;
  const finish = readFinishReason(text);
  if (finish !== undefined) record.finishReason = finish;
  const error = record.streamed && result.outcome === 'complete' ? readErrorCode(text) : undefined;
  if (error !== undefined) record.error = error;
  noteUsage(record, answered, readUsage(text), input);
}

function noteUsage(
  record: RequestRecord,
  answered: ProxyResult,
  told: Usage | undefined,
  abandoned: AbandonedInputCounter,
): void {
  const { route, request, tail, result } = answered;
  const isWhole = result.outcome === 'complete' && told !== undefined;
  if (!route.takesSlot || !(isWhole || wasAtWork(answered) || tellsNothing(answered))) return;
  const cached = told?.cached ?? 0;
  const output = isWhole ? outputOfAll(told, answered) : Math.max(told?.output ?? 0, tail.generated);
  const isTold = told !== undefined && !(isWhole && hasOwnInputs(answered));
  record.usage = { input: told?.input ?? 0, cached, output };
  if (isTold) return;
  const { soon, correction } = abandoned.count(route, request);
  record.pendingUsage = soon.then((input) => {
    record.usage = { input, cached, output };
  });
  record.usageCorrection = correction;
}

/** The backend had it, and was broken off or broke off. What it declined, and what never reached it, costs nothing. */
function wasAtWork({ result, tail }: ProxyResult): boolean {
  if (tail.generated > 0) return true;
  if (result.outcome !== 'failed') return false;
  const { kind } = result.failure;
  return kind === 'client-left' || kind === 'cancelled' || result.relay !== undefined;
}

/**
 * llama-server tells the usage of one choice, however many it made. In a stream the others are counted; where there was
 * none they are taken to be as long.
 */
function outputOfAll({ output }: Usage, { request, tail }: ProxyResult): number {
  if (request.weight === 1) return output;
  return tail.generated > 0 ? Math.max(output, tail.generated) : output * request.weight;
}

/** Of several prompts, too, it tells one; of texts to embed or to rank, all. */
const hasOwnInputs = ({ route, request }: ProxyResult) =>
  request.weight > 1 && route.generates && route.inputsField !== undefined;

/** The native shapes of embeddings and rankings have no place for usage. */
const tellsNothing = ({ route, result }: ProxyResult) => result.outcome === 'complete' && !route.generates;
