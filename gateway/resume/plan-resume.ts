import { parseEvents, type StreamEvent } from '../../sse/sse.ts';
import type { CompletionShape } from '../api/route-table.ts';
import type { Transcript, TranscriptText } from './transcript.ts';

/**
 * What may be done for a stream whose engine died in the middle of it.
 * from-the-start: nothing was generated, so the same request, its opening events left out · go-on: the same request with
 * what was said as the assistant's beginning · close: all was said, only the end mark lacks · none: it cannot be made
 * whole soundly, and `why` is told to the client.
 */
export type ResumePlan =
  | { readonly how: 'from-the-start' }
  | { readonly how: 'go-on'; readonly said: TranscriptText }
  | { readonly how: 'close' }
  | { readonly how: 'none'; readonly why: string };

type Fields = Readonly<Record<string, unknown>>;

export interface InterruptedStream {
  readonly shape: CompletionShape;
  /** The request as it was sent. */
  readonly fields: Fields;
  /** Choices of the request. */
  readonly weight: number;
  /** The client holds a part of it; an answer in one piece is not written before all of it is told. */
  readonly isPartlySent: boolean;
  readonly transcript: Pick<Transcript, 'generated' | 'hasOtherContent' | 'text' | 'closing'>;
}

/** Decides it, from what was asked for and what was said. */
export function planResume(interrupted: InterruptedStream): ResumePlan {
  const { shape, fields, isPartlySent, transcript } = interrupted;
  if (transcript.generated === 0) return { how: 'from-the-start' };
  if (isPartlySent && lacksOnlyItsEnd(shape, fields, parseEvents(transcript.closing)))
    return { how: 'close' };
  const why = reasonAgainst(interrupted);
  return why === undefined ? { how: 'go-on', said: transcript.text } : { how: 'none', why };
}

/** A response says its last word in the event that ends it. */
function lacksOnlyItsEnd(shape: CompletionShape, fields: Fields, closing: readonly StreamEvent[]): boolean {
  if (shape === 'response') return false;
  if (shape === 'message') return closing.some(({ type }) => type === 'message_delta');
  const options = fields.stream_options as { include_usage?: unknown } | null | undefined;
  return closing.some(({ usage, choices }) => {
    const [choice] = (choices ?? []) as readonly { finish_reason?: unknown }[];
    return options?.include_usage ? Boolean(usage) : Boolean(choice?.finish_reason);
  });
}

function reasonAgainst({ shape, fields, weight, transcript }: InterruptedStream): string | undefined {
  if (weight > 1 && shape !== 'message') return 'of several choices none can be taken up again';
  if (asksForLogprobs(shape, fields)) return 'log-probabilities cannot be taken up again';
  if (transcript.hasOtherContent || hasBegunCall(parseEvents(transcript.closing)))
    return shape === 'chat'
      ? 'a tool call was under way'
      : 'neither thoughts nor calls can be taken up again';
  const { content, reasoning } = transcript.text;
  if (reasoning !== '' && content === '') return 'a thought was under way';
  if (isConstrained(shape, fields)) return 'the grammar would begin anew';
  if (endsInAssistantsCall(shape, fields)) return 'the last message calls a tool';
  return undefined;
}

/** llama-server's `/v1/messages` reads no field of this kind, nor how many choices are wanted. */
function asksForLogprobs(shape: CompletionShape, { logprobs, n_probs, include }: Fields): boolean {
  if (shape === 'message') return false;
  const included = shape === 'response' && Array.isArray(include) && include.includes(outputLogprobs);
  return Boolean(logprobs || n_probs || included);
}

const outputLogprobs = 'message.output_text.logprobs';

/** The events that announce a call come before those that bring it. */
function hasBegunCall(closing: readonly StreamEvent[]): boolean {
  return closing.some((event) => {
    const { item, content_block } = event as { item?: Typed; content_block?: Typed };
    return item?.type === 'function_call' || content_block?.type === 'tool_use';
  });
}

/**
 * A JSON schema of a chat takes the assistant's beginning into account (seen with llama-server 0.7.0), under each of its
 * names; a bare grammar, and whatever constrains a completion, begins anew behind it.
 */
function isConstrained(shape: CompletionShape, { grammar, json_schema, response_format }: Fields): boolean {
  if (shape === 'message') return false;
  if (grammar) return true;
  if (shape !== 'completion') return false;
  const format = (response_format as Typed | null | undefined)?.type;
  return Boolean(json_schema) || (format !== undefined && format !== 'text');
}

/** An assistant's message that is to be continued has to be text. */
function endsInAssistantsCall(shape: CompletionShape, { messages, input }: Fields): boolean {
  if (shape === 'response') return callsAtTheEnd(Array.isArray(input) ? input : []);
  const last = Array.isArray(messages) ? (messages.at(-1) as Message | null | undefined) : undefined;
  if (last?.role !== 'assistant') return false;
  const { tool_calls, content } = last;
  const isUse = (block: Typed | null) => block?.type === 'tool_use';
  return (
    (Array.isArray(tool_calls) && tool_calls.length > 0) || (Array.isArray(content) && content.some(isUse))
  );
}

/** llama-server makes one message of all the assistant's items in a row. */
function callsAtTheEnd(input: readonly (Item | null)[]): boolean {
  const others = input.findLastIndex((item) => item?.role !== 'assistant' && !ofAssistant.has(item?.type));
  return input.slice(others + 1).some((item) => item?.type === 'function_call');
}

const ofAssistant: ReadonlySet<unknown> = new Set(['function_call', 'reasoning']);

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
