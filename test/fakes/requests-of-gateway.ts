import { formatEvent } from '../../sse/sse.ts';

interface GatewayRequest {
  readonly stream?: boolean;
  readonly messages?: readonly { readonly content: string }[];
}

/**
 * The response of llama-server 0.7.0 to the gateway's own requests: how many tokens an input has, and how a chat continues
 * that ends with an assistant message.
 */
export function answerToGateway(path: string, body: string, inputTokens: number): string {
  if (path !== '/v1/chat/completions') return JSON.stringify({ input_tokens: inputTokens });
  const { stream, messages } = JSON.parse(body) as GatewayRequest;
  if (stream) return formatEvent({ choices: [{ delta: { content: ' on' } }] }) + formatEvent('[DONE]');
  return JSON.stringify({ choices: [{ message: { content: `${messages?.at(-1)?.content} on` } }] });
}
