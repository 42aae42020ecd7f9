import { getOperation } from '../api/route-label.ts';
import type { RequestRecord } from '../proxy/request-record.ts';
import type { ExchangeResult } from '../upstream/exchange.ts';

/** Names follow OpenTelemetry's conventions; our own start with `corral.`. No value contains text of a request or response. */
type Attributes = Readonly<Record<string, string | number | boolean | string[] | undefined>>;

interface Outcome {
  readonly status: number;
  readonly outcome: string;
}

/** The attributes of a finished request. */
export function requestAttributes(
  record: RequestRecord,
  route: string,
  { status, outcome }: Outcome,
): Attributes {
  const { keyId, queuedMs, retries = 0, continued = 0 } = record;
  return {
    ...generationAttributes(record, route),
    'http.response.status_code': status,
    'error.type': record.error ?? (outcome === 'client_left' ? outcome : undefined),
    'corral.outcome': outcome,
    'corral.key_id': keyId,
    'corral.queue_ms': queuedMs === undefined ? undefined : Math.round(queuedMs),
    'corral.retries': retries,
    'corral.continued': continued,
  };
}

function generationAttributes(record: RequestRecord, route: string): Attributes {
  const operation = getOperation(route);
  if (operation === undefined) return {};
  const { model, streamed, usage, finishReason } = record;
  return {
    'gen_ai.operation.name': operation,
    'gen_ai.provider.name': 'llama_cpp',
    'gen_ai.request.model': model,
    'gen_ai.request.stream': streamed,
    'gen_ai.response.finish_reasons': finishReason === undefined ? undefined : [finishReason],
    'gen_ai.usage.input_tokens': usage?.input,
    'gen_ai.usage.output_tokens': usage?.output,
    'gen_ai.usage.cache_read.input_tokens': usage?.cached,
  };
}

export function exchangeAttributes(result: ExchangeResult): Attributes {
  if (result.outcome === 'complete') return { 'corral.outcome': result.outcome };
  if (result.outcome === 'failed')
    return { 'corral.outcome': result.outcome, 'error.type': result.failure.kind };
  const { status, code } = result.error;
  return { 'corral.outcome': result.outcome, 'http.response.status_code': status, 'error.type': code };
}

/** By the conventions, a server span is an error only if the server is at fault. */
export function isServerError({ status, outcome }: Outcome): boolean {
  return status >= 500 || outcome === 'broken_off';
}

/** A disconnected client or a cancellation by an operator is not an error. */
export function isExchangeError(result: ExchangeResult): boolean {
  if (result.outcome !== 'failed') return result.outcome === 'declined';
  return result.failure.kind !== 'client-left' && result.failure.kind !== 'cancelled';
}
