import type { ServerResponse } from 'node:http';
import { formatEvent } from '../../sse/sse.ts';
import type { BackendScenario, Received } from './start-fake-backend.ts';

/** Answers with the words of the last message: whoever sees another's words has another's answer. */
export const echo: BackendScenario = (request, response) => {
  response
    .setHeader('content-type', 'application/json')
    .end(
      JSON.stringify({ object: 'chat.completion', choices: [{ message: { content: tokensOf(request) } }] }),
    );
};

/** Whether the client itself wants a stream: the gateway asks for one on behalf of the others, too. */
export function isForStream({ body }: Received): boolean {
  return (
    body.includes('"stream":true') && !body.endsWith('"stream":true,"stream_options":{"include_usage":true}}')
  );
}

export function tokensOf({ body }: Received): string {
  const { messages, prompt } = JSON.parse(body) as { messages?: { content: string }[]; prompt?: string };
  return messages?.at(-1)?.content ?? prompt ?? '';
}

/** Starts a stream of events; the caller writes on. */
export function startStream(response: ServerResponse): ServerResponse {
  response.writeHead(200, { 'content-type': 'text/event-stream', server: 'llama.cpp' });
  response.flushHeaders();
  return response;
}

/** One event of a chat stream. */
export const delta = (content: string) => formatEvent({ choices: [{ delta: { content } }] });

/** Takes the request and says nothing. */
export const silent: BackendScenario = () => {};

/** Says one word in a stream and then nothing more. */
export const sendAndStall: BackendScenario = (_, response) => {
  startStream(response).write(delta('one'));
};
