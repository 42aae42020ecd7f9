import type { AnswerShape } from '../openai/assemble/assembly.ts';
import { readEvents, type StreamEvent } from './event-blocks.ts';
import type { Said, Spoken } from './spoken.ts';

/**
 * What may be done for a stream whose engine died in the middle of it.
 * from-the-start: nothing was generated, so the same request, its opening events left out · go-on: the same request with
 * what was said as the assistant's beginning · close: all was said, only the end mark lacks · none: it cannot be made
 * whole soundly, and `why` is told to the client.
 */
export type Plan =
  | { readonly how: 'from-the-start' }
  | { readonly how: 'go-on'; readonly said: Said }
  | { readonly how: 'close' }
  | { readonly how: 'none'; readonly why: string };

type Fields = Readonly<Record<string, unknown>>;

export interface Interrupted {
  readonly shape: AnswerShape;
  /** The request as it was sent. */
  readonly fields: Fields;
  /** Choices of the request. */
  readonly weight: number;
  readonly spoken: Pick<Spoken, 'generated' | 'isBeyondText' | 'said' | 'closing'>;
}

/** Decides it, from what was asked for and what was said. */
export function planContinuation(interrupted: Interrupted): Plan {
  const { shape, fields, spoken } = interrupted;
  if (spoken.generated === 0) return { how: 'from-the-start' };
  if (lacksOnlyItsEnd(shape, fields, readEvents(spoken.closing))) return { how: 'close' };
  const why = reasonAgainst(interrupted);
  return why === undefined ? { how: 'go-on', said: spoken.said } : { how: 'none', why };
}

/** A response says its last word in the event that ends it. */
function lacksOnlyItsEnd(shape: AnswerShape, fields: Fields, closing: readonly StreamEvent[]): boolean {
  if (shape === 'response') return false;
  if (shape === 'message') return closing.some(({ type }) => type === 'message_delta');
  const options = fields.stream_options as { include_usage?: unknown } | null | undefined;
  return closing.some(({ usage, choices }) => {
    const [choice] = (choices ?? []) as readonly { finish_reason?: unknown }[];
    return options?.include_usage ? Boolean(usage) : Boolean(choice?.finish_reason);
  });
}

function reasonAgainst({ shape, fields, weight, spoken }: Interrupted): string | undefined {
  if (weight > 1) return 'of several choices none can be taken up again';
  if (asksForLogprobs(fields)) return 'log-probabilities cannot be taken up again';
  if (spoken.isBeyondText) return 'a tool call or a thought was under way';
  const { content, reasoning } = spoken.said;
  if (reasoning !== '' && content === '') return 'a thought was under way';
  if (isConstrained(shape, fields)) return 'the grammar would begin anew';
  if (endsInAssistantsCall(fields)) return 'the last message calls a tool';
  return undefined;
}

function asksForLogprobs({ logprobs, top_logprobs, n_probs, include }: Fields): boolean {
  return Boolean(logprobs || top_logprobs || n_probs || (Array.isArray(include) && include.length > 0));
}

/**
 * A JSON schema of a chat takes the assistant's beginning into account (seen with llama-server 0.7.0); a bare grammar, and
 * whatever constrains a completion, begins anew behind it.
 */
function isConstrained(shape: AnswerShape, { grammar, json_schema, response_format }: Fields): boolean {
  if (grammar || json_schema) return true;
  const format = (response_format as { type?: unknown } | null | undefined)?.type;
  return shape === 'completion' && format !== undefined && format !== 'text';
}

/** An assistant's message that is to be continued has to be text. */
function endsInAssistantsCall({ messages }: Fields): boolean {
  const last = Array.isArray(messages) ? (messages.at(-1) as Message | null | undefined) : undefined;
  return last?.role === 'assistant' && Array.isArray(last.tool_calls) && last.tool_calls.length > 0;
}

interface Message {
  readonly role?: unknown;
  readonly tool_calls?: unknown;
}
