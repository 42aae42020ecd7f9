import { readErrorCode } from '../api/stream-markers.ts';
import { readFinishReason, readUsage, type Usage } from '../api/usage.ts';
import type { AbandonedInputCounter } from '../engines/count-tokens.ts';
import type { ApiError } from '../errors/api-error.ts';
import type { EventStreamRelay } from '../upstream/event-stream-relay.ts';
import type { ExchangeResult } from '../upstream/exchange.ts';
import type { Failure } from '../upstream/failure.ts';
import type { ResponseTail } from '../upstream/relay.ts';
import { requestsStream } from './parse-request.ts';
import type { ProxyContext } from './proxy-context.ts';
import type { RequestRecord } from './request-record.ts';
import { exchangeError } from './result-errors.ts';

/** What became of a request, after its last attempt. */
export interface ProxyResult {
  /** The result of the last exchange, or the reason why there will be no other. */
  readonly result: ExchangeResult | { readonly outcome: 'rejected'; readonly error: ApiError };
  readonly tail: ResponseTail;
  /** The relay of a stream that has begun and may have to be broken off. */
  readonly relay: EventStreamRelay | undefined;
}

/**
 * Records what a response contained, and reports a response that did not complete: in the stream if that has begun, else by
 * throwing an ApiError.
 */
export function finish(context: ProxyContext, proxied: ProxyResult): void {
  const { record, engine } = context;
  recordResult(context, proxied);
  const { result } = proxied;
  if (result.outcome === 'complete') return;
  if (result.outcome === 'failed' && !isDeliberate(result.failure)) engine.monitor.probeNow();
  const error =
    result.outcome === 'rejected' ? result.error : exchangeError(result, context.model.getStatus(engine));
  if (error === undefined) return;
  const relay = proxied.relay ?? (result.outcome === 'failed' ? result.relay : undefined);
  if (relay === undefined) throw error;
  record.error = error.code;
  record.cause = error.cause;
  relay.fail(error);
}

/** The client or an operator ended it, or the store failed, so the backend is not in doubt. */
const isDeliberate = ({ kind }: Failure) =>
  kind === 'client-left' || kind === 'cancelled' || kind === 'not-stored';

function recordResult(context: ProxyContext, proxied: ProxyResult): void {
  const { record } = context;
  const { result, tail } = proxied;
  record.bytesOut = tail.bytes;
  if (tail.firstByteAt !== undefined) record.firstByteAt = tail.firstByteAt;
  const { text, finishReason, usage } = readReported(context, tail);
  if (finishReason !== undefined) record.finishReason = finishReason;
  const error = record.streamed && result.outcome === 'complete' ? readErrorCode(text) : undefined;
  if (error !== undefined) record.error = error;
  recordUsage(context, proxied, usage);
}

/** What the backend said of its response, and the text that this was found in. */
interface Reported {
  readonly text: string;
  readonly finishReason: string | undefined;
  readonly usage: Usage | undefined;
}

function readReported({ request, route }: ProxyContext, tail: ResponseTail): Reported {
  if (route.dialect === 'openai') {
    const reported = readFrom(tail.end());
    if (reported.finishReason !== undefined && reported.usage !== undefined) return reported;
  }
  return readFrom(requestsStream(request) ? tail.streamEnds() : tail.text());
}

const readFrom = (text: string): Reported => ({
  text,
  finishReason: readFinishReason(text),
  usage: readUsage(text),
});

function recordUsage(context: ProxyContext, proxied: ProxyResult, reported: Usage | undefined): void {
  const { route, request, record, engine } = context;
  const { tail, result } = proxied;
  const isComplete = result.outcome === 'complete';
  const isWhole = isComplete && reported !== undefined;
  // The native formats of embeddings and rankings have no place for usage.
  const reportsNoUsage = isComplete && !route.generates;
  if (!route.takesSlot || !(isWhole || isCharged(context, proxied) || reportsNoUsage)) return;
  const cached = reported?.cached ?? 0;
  const output = isWhole
    ? totalOutput(context, tail, reported)
    : Math.max(reported?.output ?? 0, tail.generated);
  const rest =
    reported?.drafts === undefined ? { cached, output } : { cached, output, drafts: reported.drafts };
  record.usage = { input: reported?.input ?? 0, ...rest };
  // For several prompts llama-server reports the tokens of one; for texts to embed or to rank, of all.
  const hasSeveralPrompts = request.sequences > 1 && route.generates && route.inputsField !== undefined;
  if (reported !== undefined && !(isWhole && hasSeveralPrompts)) return;
  countInputLater(context, engine.abandonedInput, rest);
}

function countInputLater(
  { route, request, record }: { readonly record: RequestRecord } & Pick<ProxyContext, 'route' | 'request'>,
  counter: AbandonedInputCounter,
  rest: Omit<Usage, 'input'>,
): void {
  const { soon, correction } = counter.count(route, request);
  record.pendingUsage = soon.then((input) => {
    record.usage = { input, ...rest };
  });
  record.usageCorrection = correction;
}

/** A background response that breaks off is asked for again, and the usage of the whole is recorded then. */
function isCharged({ isBackground }: ProxyContext, proxied: ProxyResult): boolean {
  const { result } = proxied;
  const isCancelled = result.outcome === 'failed' && result.failure.kind === 'cancelled';
  return (!isBackground || isCancelled) && reachedEngine(proxied);
}

/** The engine worked on it, and the exchange was broken off. A request that it declined or never got costs nothing. */
function reachedEngine({ result, tail }: ProxyResult): boolean {
  if (tail.generated > 0) return true;
  if (result.outcome !== 'failed') return false;
  return isDeliberate(result.failure) || result.relay !== undefined;
}

/**
 * llama-server reports the usage of one choice, however many it made. In a stream the others are counted; in a JSON response they
 * are assumed to be as long.
 */
function totalOutput({ request }: ProxyContext, tail: ResponseTail, { output }: Usage): number {
  if (request.sequences === 1) return output;
  return tail.generated > 0 ? Math.max(output, tail.generated) : output * request.sequences;
}
