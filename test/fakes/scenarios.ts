import type { ServerResponse } from 'node:http';
import { formatEvent } from '../../sse/sse.ts';
import type { BackendScenario, Received } from './start-fake-backend.ts';

/** Responds with the text of the last message, so that a client notices the response of another request. */
export const echo: BackendScenario = (request, response) => {
  response
    .setHeader('content-type', 'application/json')
    .end(
      JSON.stringify({ object: 'chat.completion', choices: [{ message: { content: tokensOf(request) } }] }),
    );
};

/** Whether the client itself requested a stream. The gateway requests streams for other clients, too. */
export function isForStream({ body }: Received): boolean {
  return (
    body.includes('"stream":true') && !body.endsWith('"stream":true,"stream_options":{"include_usage":true}}')
  );
}

export function tokensOf({ body }: Received): string {
  const { messages, prompt } = JSON.parse(body) as { messages?: { content: string }[]; prompt?: string };
  return messages?.at(-1)?.content ?? prompt ?? '';
}

/** Starts a stream of events and leaves it open. */
export function startStream(response: ServerResponse): ServerResponse {
  response.writeHead(200, { 'content-type': 'text/event-stream', server: 'llama.cpp' });
  response.flushHeaders();
  return response;
}

/** One event of a chat stream. */
export const delta = (content: string) => formatEvent({ choices: [{ delta: { content } }] });

/** Never responds. */
export const silent: BackendScenario = () => {};

/** Sends one event of a stream and then nothing more. */
export const sendAndStall: BackendScenario = (_, response) => {
  startStream(response).write(delta('one'));
};
