import type { CompletionShape, Dialect } from '../../../gateway/api/route-table.ts';
import { formatEvent } from '../../../sse/sse.ts';

/** How llama-server writes the stream of one API. */
export interface EngineStream {
  readonly dialect: Dialect;
  readonly opening: string;
  text(text: string): string;
  /** `fullText` is the complete text, which the Responses API repeats. */
  closing(fullText: string): string;
  /** The text of a parsed event; empty if it has none. */
  textOf(event: Readonly<Record<string, unknown>>): string;
}

interface Chunk {
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string | null };
    readonly text?: string;
  }[];
  readonly type?: string;
  readonly delta?: { readonly text?: string } | string;
}

const chat = (delta: object, finish_reason: string | null = null) =>
  formatEvent({
    choices: [{ finish_reason, index: 0, delta }],
    created: 1,
    id: 'chat-1',
    model: 'm',
    object: 'chat.completion.chunk',
  });
const completion = (text: string, finish_reason: string | null = null) =>
  formatEvent({
    choices: [{ text, index: 0, finish_reason }],
    created: 1,
    id: 'text-1',
    model: 'm',
    object: 'text_completion',
  });
const named = (data: { readonly type: string; readonly [field: string]: unknown }) =>
  formatEvent(data, data.type);
const item = (text: string) => ({
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  content: [{ type: 'output_text', text }],
});

export const engineStreams: Readonly<Record<CompletionShape, EngineStream>> = {
  chat: {
    dialect: 'openai',
    opening: chat({ role: 'assistant', content: null }),
    text: (content) => chat({ content }),
    closing: () => `${chat({}, 'stop')}data: [DONE]\n\n`,
    textOf: (data) => (data as Chunk).choices?.[0]?.delta?.content ?? '',
  },
  completion: {
    dialect: 'openai',
    opening: '',
    text: (text) => completion(text),
    closing: () => `${completion('', 'stop')}data: [DONE]\n\n`,
    textOf: (data) => (data as Chunk).choices?.[0]?.text ?? '',
  },
  message: {
    dialect: 'anthropic',
    opening:
      named({
        type: 'message_start',
        message: { id: 'msg_1', role: 'assistant', content: [], usage: { input_tokens: 3 } },
      }) + named({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
    text: (text) => named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
    closing: () =>
      named({ type: 'content_block_stop', index: 0 }) +
      named({
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { output_tokens: 2 },
      }) +
      named({ type: 'message_stop' }),
    textOf: ({ delta }) => (delta as { text?: string } | undefined)?.text ?? '',
  },
  response: {
    dialect: 'responses',
    opening:
      named({ type: 'response.created', response: { id: 'resp_1', status: 'in_progress' } }) +
      named({ type: 'response.output_item.added', output_index: 0, item: { ...item(''), content: [] } }),
    text: (delta) => named({ type: 'response.output_text.delta', item_id: 'msg_1', delta }),
    closing: (fullText) =>
      named({ type: 'response.output_text.done', item_id: 'msg_1', text: fullText }) +
      named({ type: 'response.output_item.done', item: item(fullText) }) +
      named({
        type: 'response.completed',
        response: {
          id: 'resp_1',
          status: 'completed',
          output: [item(fullText)],
          usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
        },
      }),
    textOf: ({ type, delta }) => (type === 'response.output_text.delta' ? String(delta) : ''),
  },
};
