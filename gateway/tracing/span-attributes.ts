import { getOperation } from '../api/route-label.ts';
import type { RequestRecord } from '../proxy/request-record.ts';
import type { ExchangeResult } from '../upstream/exchange.ts';

/** Names of OpenTelemetry's conventions where it has one, `corral.` before ours. Nothing here is what anybody said. */
type Attributes = Readonly<Record<string, string | number | boolean | string[] | undefined>>;

interface End {
  readonly status: number;
  readonly outcome: string;
}

/** What is known of a request when it is over. */
export function requestAttributes(
  record: RequestRecord,
  route: string,
  { status, outcome }: End,
): Attributes {
  const { keyId, queuedMs, retries = 0, continued = 0 } = record;
  return {
    ...generation(record, route),
    'http.response.status_code': status,
    'error.type': record.error ?? (outcome === 'client_left' ? outcome : undefined),
    'corral.outcome': outcome,
    'corral.key_id': keyId,
    'corral.queue_ms': queuedMs === undefined ? undefined : Math.round(queuedMs),
    'corral.retries': retries,
    'corral.continued': continued,
  };
}

function generation(record: RequestRecord, route: string): Attributes {
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

/** How one exchange ended. */
export function exchangeAttributes(ending: ExchangeResult): Attributes {
  if (ending.outcome === 'complete') return { 'corral.outcome': ending.outcome };
  if (ending.outcome === 'failed')
    return { 'corral.outcome': ending.outcome, 'error.type': ending.failure.kind };
  const { status, code } = ending.error;
  return { 'corral.outcome': ending.outcome, 'http.response.status_code': status, 'error.type': code };
}

/** As the conventions have it: a server's span is an error where the server is at fault. */
export function isServerError({ status, outcome }: End): boolean {
  return status >= 500 || outcome === 'broken_off';
}

/** Nobody's fault: the client left, or an operator wanted it to end. */
export function isExchangeError(ending: ExchangeResult): boolean {
  if (ending.outcome !== 'failed') return ending.outcome === 'declined';
  return ending.failure.kind !== 'client-left' && ending.failure.kind !== 'cancelled';
}
