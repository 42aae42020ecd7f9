import { parseEvents, type StreamEvent } from '../../sse/sse.ts';
import type { CompletionShape } from '../api/route-table.ts';
import type { Transcript, TranscriptText } from './transcript.ts';

/**
 * What is done for a stream whose engine died.
 * restart: nothing was generated, so the same request is sent and its opening events are left out · continue: the same
 * request with the text so far as the assistant's prefill · close: only the end marker is missing · fail: the stream cannot
 * be completed soundly, and the client is given the reason.
 */
export type ResumePlan =
  | { readonly action: 'restart' }
  | { readonly action: 'continue'; readonly text: TranscriptText }
  | { readonly action: 'close' }
  | { readonly action: 'fail'; readonly reason: string };

type Fields = Readonly<Record<string, unknown>>;

export interface InterruptedStream {
  readonly shape: CompletionShape;
  /** The request as it was sent. */
  readonly fields: Fields;
  /** How many sequences the backend decodes for the request. */
  readonly sequences: number;
  /** The client has received a part of it. A JSON response is not written before it is complete. */
  readonly isPartlySent: boolean;
  readonly transcript: Pick<Transcript, 'generated' | 'hasOtherContent' | 'text' | 'opening' | 'closing'>;
}

/** Decides from the request and from what was generated. */
export function planResume(interrupted: InterruptedStream): ResumePlan {
  const { shape, fields, isPartlySent, transcript } = interrupted;
  if (transcript.generated === 0)
    return isPartlySent && shape === 'response' && announcesOtherItem(parseEvents(transcript.opening))
      ? { action: 'fail', reason: otherItem }
      : { action: 'restart' };
  if (isPartlySent && lacksOnlyEndMarker(shape, fields, parseEvents(transcript.closing)))
    return { action: 'close' };
  const reason = findReasonAgainst(interrupted);
  return reason === undefined ? { action: 'continue', text: transcript.text } : { action: 'fail', reason };
}

const otherItem = 'it has reasoning or a tool call';

/** The next engine would give it another id, or generate something else; of a message the id is kept (resume-rewriters.ts). */
const announcesOtherItem = (opening: readonly StreamEvent[]) =>
  opening.some(({ item }) => item !== undefined && (item as Typed).type !== 'message');

/** In Responses the end marker is part of the last event. */
function lacksOnlyEndMarker(
  shape: CompletionShape,
  fields: Fields,
  closing: readonly StreamEvent[],
): boolean {
  if (shape === 'response') return false;
  if (shape === 'message') return closing.some(({ type }) => type === 'message_delta');
  const options = fields.stream_options as { include_usage?: unknown } | null | undefined;
  return closing.some(({ usage, choices }) => {
    const [choice] = (choices ?? []) as readonly { finish_reason?: unknown }[];
    return options?.include_usage ? Boolean(usage) : Boolean(choice?.finish_reason);
  });
}

/** The reason in the error `cannotContinue`; undefined if it can be continued. */
function findReasonAgainst({ shape, fields, sequences, transcript }: InterruptedStream): string | undefined {
  if (sequences > 1 && shape !== 'message') return 'it has several choices';
  if (requestsLogprobs(shape, fields)) return 'it has log-probabilities';
  if (transcript.hasOtherContent || hasStartedCall(parseEvents(transcript.closing)))
    return shape === 'chat' ? 'a tool call was unfinished' : otherItem;
  const { content, reasoning } = transcript.text;
  if (reasoning !== '' && content === '') return 'its reasoning was unfinished';
  if (isConstrained(shape, fields)) return 'its grammar would start again';
  if (endsInToolCall(shape, fields)) return 'the last message contains a tool call';
  return undefined;
}

/** `/v1/messages` of llama-server reads no such field, nor the number of choices. */
function requestsLogprobs(shape: CompletionShape, { logprobs, n_probs, include }: Fields): boolean {
  if (shape === 'message') return false;
  const included = shape === 'response' && Array.isArray(include) && include.includes(outputLogprobs);
  return Boolean(logprobs || n_probs || included);
}

const outputLogprobs = 'message.output_text.logprobs';

/** A call is announced by events of its own, before its arguments. */
function hasStartedCall(closing: readonly StreamEvent[]): boolean {
  return closing.some((event) => {
    const { item, content_block } = event as { item?: Typed; content_block?: Typed };
    return isCall(item?.type) || content_block?.type === 'tool_use';
  });
}

/** One of a custom tool has its own type where the events are those that the client has got. */
const isCall = (type: unknown) => type === 'function_call' || type === 'custom_tool_call';

/**
 * A JSON schema of a chat applies to the prefill and the continuation together, under each of its names (observed with
 * llama-server 0.7.0). A bare grammar, and whatever constrains a completion, starts again after the prefill.
 */
function isConstrained(shape: CompletionShape, { grammar, json_schema, response_format }: Fields): boolean {
  if (shape === 'message') return false;
  if (grammar) return true;
  if (shape !== 'completion') return false;
  const format = (response_format as Typed | null | undefined)?.type;
  return Boolean(json_schema) || (format !== undefined && format !== 'text');
}

/** Only a message of text can be continued. */
function endsInToolCall(shape: CompletionShape, { messages, input }: Fields): boolean {
  if (shape === 'response') return hasCallAtEnd(Array.isArray(input) ? input : []);
  const last = Array.isArray(messages) ? (messages.at(-1) as Message | null | undefined) : undefined;
  if (last?.role !== 'assistant') return false;
  const { tool_calls, content } = last;
  const isUse = (block: Typed | null) => block?.type === 'tool_use';
  return (
    (Array.isArray(tool_calls) && tool_calls.length > 0) || (Array.isArray(content) && content.some(isUse))
  );
}

/** llama-server joins consecutive items of the assistant into one message. */
function hasCallAtEnd(input: readonly (Item | null)[]): boolean {
  const others = input.findLastIndex((item) => item?.role !== 'assistant' && !assistantItems.has(item?.type));
  return input.slice(others + 1).some((item) => item?.type === 'function_call');
}

const assistantItems: ReadonlySet<unknown> = new Set(['function_call', 'reasoning']);

interface Typed {
  readonly type?: unknown;
}

interface Item extends Typed {
  readonly role?: unknown;
}

interface Message {
  readonly role?: unknown;
  readonly tool_calls?: unknown;
  readonly content?: unknown;
}
