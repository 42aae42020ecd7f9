import type { ApiRequest } from '../openai/read-request.ts';
import { readFinishReason, readUsage, type Usage } from '../openai/usage.ts';
import type { RequestRecord } from '../record/request-record.ts';
import type { Refusal } from '../refusal/refusal.ts';
import type { ApiRoute } from '../routes/api-routes.ts';
import type { AnswerEnds } from '../upstream/answer-ends.ts';
import type { EventStreamRelay } from '../upstream/event-stream-relay.ts';
import type { Ending } from '../upstream/exchange.ts';
import { errorCodeIn } from '../upstream/stream-dialect.ts';
import type { AbandonedInput } from './count-abandoned.ts';

export interface Answered {
  readonly route: ApiRoute;
  readonly request: ApiRequest;
  /** How its last exchange ended, or why there will be no other. */
  readonly ending: Ending | { readonly outcome: 'refused'; readonly refusal: Refusal };
  readonly ends: AnswerEnds;
  /** Of a stream that has begun, and may have to be broken off. */
  readonly relay: EventStreamRelay | undefined;
}

/** Reads what the answer said of itself into the record; a broken off one tells what it had come to. */
export function noteAnswer(record: RequestRecord, answered: Answered, input: AbandonedInput): void {
  const { ending, ends } = answered;
  record.bytesOut = ends.bytes;
  const text = ends.text();
  if (ends.firstByteAt !== undefined) record.firstByteAt = ends.firstByteAt;
  const finish = readFinishReason(text);
  if (finish !== undefined) record.finishReason = finish;
  const error = record.streamed && ending.outcome === 'complete' ? errorCodeIn(text) : undefined;
  if (error !== undefined) record.error = error;
  noteUsage(record, answered, readUsage(text), input);
}

function noteUsage(
  record: RequestRecord,
  answered: Answered,
  told: Usage | undefined,
  abandoned: AbandonedInput,
): void {
  const { route, request, ends, ending } = answered;
  const isWhole = ending.outcome === 'complete' && told !== undefined;
  if (!route.takesSlot || !(isWhole || wasAtWork(answered) || tellsNothing(answered))) return;
  const cached = told?.cached ?? 0;
  const output = isWhole ? outputOfAll(told, answered) : Math.max(told?.output ?? 0, ends.generated);
  const isTold = told !== undefined && !(isWhole && hasOwnInputs(answered));
  record.usage = { input: told?.input ?? 0, cached, output };
  if (isTold) return;
  const { soon, correction } = abandoned.count(route, request);
  record.usageToCome = soon.then((input) => {
    record.usage = { input, cached, output };
  });
  record.correction = correction;
}

/** The backend had it, and was broken off or broke off. What it declined, and what never reached it, costs nothing. */
function wasAtWork({ ending, ends }: Answered): boolean {
  if (ends.generated > 0) return true;
  if (ending.outcome !== 'failed') return false;
  const { kind } = ending.failure;
  return kind === 'client-left' || kind === 'cancelled' || ending.relay !== undefined;
}

/**
 * llama-server tells the usage of one choice, however many it made. In a stream the others are counted; where there was
 * none they are taken to be as long.
 */
function outputOfAll({ output }: Usage, { request, ends }: Answered): number {
  if (request.weight === 1) return output;
  return ends.generated > 0 ? Math.max(output, ends.generated) : output * request.weight;
}

/** Of several prompts, too, it tells one; of texts to embed or to rank, all. */
const hasOwnInputs = ({ route, request }: Answered) =>
  request.weight > 1 && route.generates && route.batch !== undefined;

/** The native shapes of embeddings and rankings have no place for usage. */
const tellsNothing = ({ route, ending }: Answered) => ending.outcome === 'complete' && !route.generates;
