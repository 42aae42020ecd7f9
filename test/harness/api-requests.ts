import { formatEvent } from '../../sse/sse.ts';

interface Question {
  readonly stream?: boolean;
  readonly messages?: readonly { readonly content: string }[];
}

/**
 * Answers what the gateway asks for itself, as llama-server 0.7.0 would: how long an input is, and how a chat is
 * continued that ends with the assistant's words.
 */
export function answerToGateway(path: string, body: string, inputTokens: number): string {
  if (path !== '/v1/chat/completions') return JSON.stringify({ input_tokens: inputTokens });
  const { stream, messages } = JSON.parse(body) as Question;
  if (stream) return formatEvent({ choices: [{ delta: { content: ' on' } }] }) + formatEvent('[DONE]');
  return JSON.stringify({ choices: [{ message: { content: `${messages?.at(-1)?.content} on` } }] });
}
