import { ChatToMessageRewriter } from '../anthropic/chat-as-message.ts';
import { MessageRewriter } from '../anthropic/message-mender.ts';
import { LegacyFunctionRewriter } from '../openai/normalize/legacy-answer.ts';
import { ToolAliasRewriter } from '../openai/normalize/tool-form-answer.ts';
import type { ApiRequest } from '../openai/read-request.ts';
import { getEchoedFields } from '../openai/responses/repeated-fields.ts';
import { ResponsesApiRewriter } from '../openai/responses/response-mender.ts';
import type { ApiRoute } from '../routes/api-routes.ts';
import type { ResponseRewriter } from '../upstream/answer-mender.ts';
import { getStreamFormatter, type StreamFormatter } from '../upstream/stream-voice.ts';

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
