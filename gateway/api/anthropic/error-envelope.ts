import type { OpenAIError } from '../openai/error-envelope.ts';

export interface AnthropicEnvelope {
  readonly type: 'error';
  readonly error: { readonly type: string; readonly message: string };
  readonly request_id: string;
}

/** Anthropic names an error by its status alone. */
export function anthropicEnvelope(status: number, error: OpenAIError, requestId: string): AnthropicEnvelope {
  return {
    type: 'error',
    error: { type: typeOf(status), message: messageOf(error) },
    request_id: requestId,
  };
}

/** Claude Code knows by these very words, and the two numbers in them, that it has to compact the conversation. */
function messageOf({ code, message }: OpenAIError): string {
  if (code !== 'context_length_exceeded') return message;
  const [tokens, most] = message.match(/\d+(?= tokens)/g) ?? [];
  return most === undefined ? message : `prompt is too long: ${tokens} tokens > ${most} maximum`;
}

const typeByStatus: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
};

function typeOf(status: number): string {
  return typeByStatus[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
}
