import type { AggregationPlan, Aggregator, EventAggregator } from '../api/aggregation.ts';
import { MessageAggregator } from '../api/anthropic/aggregate.ts';
import { ChatToMessageRewriter, MessageRewriter } from '../api/anthropic/rewriters.ts';
import { ModelNameRewriter, type ModelRename } from '../api/model-name-rewriter.ts';
import { ChatAggregator, CompletionAggregator } from '../api/openai/aggregate.ts';
import { LegacyFunctionRewriter } from '../api/openai/normalize.ts';
import { RankedDocumentsRewriter } from '../api/openai/rerank.ts';
import type { ApiRequest } from '../api/request/parse-request-body.ts';
import { getStreamFormatter, type ResponseRewriter, type StreamFormatter } from '../api/response-format.ts';
import { getEchoedFields } from '../api/responses/echoed-fields.ts';
import { ResponseAggregator, type ResponseContext, unixTime } from '../api/responses/response-object.ts';
import { ResponsesApiRewriter } from '../api/responses/rewriter.ts';
import { StoringRewriter } from '../api/responses/storing-rewriter.ts';
import { ToolAliasRewriter } from '../api/responses/tools.ts';
import type { ApiRoute } from '../api/route-table.ts';
import { TextAggregator } from '../api/text-aggregator.ts';
import type { GatewayConfig } from '../config.ts';
import type { ClientResponse } from '../http/client-response.ts';
import { KeepAlive } from '../upstream/keep-alive.ts';
import type { RequestRecord } from './request-record.ts';
import type { StatefulRequest } from './response-states.ts';

/** How one client is written to, over as many engines as its response takes. */
export interface ClientFormat {
  readonly formatter: StreamFormatter;
  /** Undefined if responses pass unchanged. */
  readonly rewriter: ResponseRewriter | undefined;
}

/**
 * `record.model` is the model that answers. `getRename`: where the engine has another name for it. `state`: only with stored
 * responses.
 */
export function createClientFormat(
  { dialect, shape }: ApiRoute,
  { echoed, responseConversion, toolAliases, rankedDocuments }: ApiRequest,
  record: Pick<RequestRecord, 'model'>,
  state: StatefulRequest | undefined,
  getRename: (() => ModelRename | undefined) | undefined,
): ClientFormat {
  if (dialect === 'responses') {
    const about: ResponseContext = {
      // Another model may answer in the end.
      get model() {
        return record.model ?? '';
      },
      id: state?.id,
      createdAt: state?.createdAt ?? unixTime(),
      echoed: { ...(echoed ?? getEchoedFields({})), ...state?.echoed },
    };
    const rewriter = new ResponsesApiRewriter(about, undefined, state?.sent);
    const named = toolAliases ? new ToolAliasRewriter(rewriter, toolAliases) : rewriter;
    return {
      formatter: rewriter,
      rewriter: state?.save ? new StoringRewriter(named, rewriter, state.save) : named,
    };
  }
  const rewriter = rankedDocuments
    ? new RankedDocumentsRewriter(rankedDocuments)
    : createRewriter(shape, responseConversion);
  const formatter = getStreamFormatter(dialect);
  return { formatter, rewriter: getRename ? new ModelNameRewriter(rewriter, getRename) : rewriter };
}

function createRewriter(
  shape: ApiRoute['shape'],
  conversion: ApiRequest['responseConversion'],
): ResponseRewriter | undefined {
  if (conversion === 'legacy function call') return new LegacyFunctionRewriter();
  if (conversion === 'message') return new ChatToMessageRewriter();
  return shape === 'message' ? new MessageRewriter() : undefined;
}

export interface KeepAliveContext {
  readonly route: ApiRoute;
  readonly request: ApiRequest;
  readonly formatter: StreamFormatter;
  readonly response: ClientResponse;
  /** When the request arrived, `performance.now()`. */
  readonly startedAt: number;
}

/** Undefined if nothing may be sent before the response. */
export function createKeepAlive(
  { route, request, formatter, response, startedAt }: KeepAliveContext,
  { streamHeaders, streamKeepAlive: interval, jsonKeepAlive }: GatewayConfig['timeouts'],
): KeepAlive | undefined {
  const { dialect, shape, takesSlot } = route;
  const mayStream = shape !== undefined || (dialect === 'native' && takesSlot);
  if (request.stream && mayStream) {
    const headersAfter = streamHeaders;
    return new KeepAlive(response, { format: 'events', formatter, startedAt, headersAfter, interval });
  }
  // A route that takes forms may respond with plain text, where white space matters.
  if (jsonKeepAlive === 0 || route.body !== 'json') return undefined;
  const headersAfter = jsonKeepAlive;
  return new KeepAlive(response, { format: 'json', formatter, startedAt, headersAfter, interval });
}

const aggregators: Readonly<
  Record<AggregationPlan['shape'], new (getPrefix: () => string) => EventAggregator>
> = {
  chat: ChatAggregator,
  completion: CompletionAggregator,
  response: ResponseAggregator,
  message: MessageAggregator,
};

/** `isRepeated` is called when the completion begins: whether the engine's own JSON response would repeat its beginning. */
export function createAggregator({ shape, prefix }: AggregationPlan, isRepeated: () => boolean): Aggregator {
  const aggregator = new aggregators[shape](() => (isRepeated() ? prefix : ''));
  return new TextAggregator(shape, aggregator);
}
