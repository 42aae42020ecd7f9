import { formatEvent } from '../../sse/sse.ts';
import type { BackendScenario } from './start-fake-backend.ts';

/** An output item as llama-server writes it. */
interface OutputItem {
  readonly id: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

export const outputText = (text: string): OutputItem => ({
  id: 'msg_of_the_engine',
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
});

/** Answers requests to /v1/responses with these items, as the client wishes, with the same ids each time. */
export function answerWithItems(output: () => readonly OutputItem[]): BackendScenario {
  return ({ body }, response) => {
    const items = output();
    const usage = { input_tokens: 7, output_tokens: 2, total_tokens: 9 };
    const begun = { id: 'resp_of_the_engine', object: 'response', status: 'in_progress', output: [] };
    const ended = { ...begun, status: 'completed', output: items, usage };
    if (!body.includes('"stream":true')) {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(ended));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const events = [
      { type: 'response.created', response: begun },
      ...items.flatMap((item) => [
        { type: 'response.output_item.added', item },
        { type: 'response.output_item.done', item },
      ]),
      { type: 'response.completed', response: ended },
    ];
    response.end(events.map((event) => formatEvent(event, event.type)).join(''));
  };
}
