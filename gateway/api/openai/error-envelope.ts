/** OpenAI's error object: all four fields are always present. */
export interface OpenAIError {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
}

export interface OpenAIEnvelope {
  readonly error: OpenAIError;
}

export function openAIEnvelope({ message, type, param, code }: OpenAIError): OpenAIEnvelope {
  return { error: { message, type, param, code } };
}
