import { ChatToMessageRewriter } from '../api/anthropic/chat-rewriter.ts';
import { MessageRewriter } from '../api/anthropic/rewriter.ts';
import { LegacyFunctionRewriter } from '../api/openai/legacy-function-rewriter.ts';
import type { ApiRequest } from '../api/parse-request-body.ts';
import { getStreamFormatter, type ResponseRewriter, type StreamFormatter } from '../api/response-format.ts';
import { getEchoedFields } from '../api/responses/response-object.ts';
import { ResponsesApiRewriter } from '../api/responses/rewriter.ts';
import { ToolAliasRewriter } from '../api/responses/tool-alias-rewriter.ts';
import type { ApiRoute } from '../api/route-table.ts';

/** What speaks to the client of one request, over as many engines as its answer takes. */
export interface ClientFormat {
  readonly formatter: StreamFormatter;
  /** Where answers do not pass as they are. */
  readonly rewriter: ResponseRewriter | undefined;
}

export function createClientFormat(
  { dialect, shape }: ApiRoute,
  { echoed, responseConversion, toolAliases }: ApiRequest,
  model: string,
): ClientFormat {
  if (dialect === 'responses') {
    const createdAt = Math.floor(Date.now() / 1000);
    const mender = new ResponsesApiRewriter({ model, createdAt, echoed: echoed ?? getEchoedFields({}) });
    return { formatter: mender, rewriter: toolAliases ? new ToolAliasRewriter(mender, toolAliases) : mender };
  }
  return { formatter: getStreamFormatter(dialect), rewriter: menderFor(shape, responseConversion) };
}

function menderFor(
  shape: ApiRoute['shape'],
  form: ApiRequest['responseConversion'],
): ResponseRewriter | undefined {
  if (form === 'legacy function call') return new LegacyFunctionRewriter();
  if (form === 'message') return new ChatToMessageRewriter();
  return shape === 'message' ? new MessageRewriter() : undefined;
}
