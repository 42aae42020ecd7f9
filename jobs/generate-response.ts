import {
  type GatewayClient,
  type GatewayResponse,
  readText,
  type Unreachable,
} from '../client/gateway-client.ts';
import { EventSplitter, splitEvents } from '../sse/sse.ts';
import { type GatewayError, type ReceivedEvent, readErrorEvent, readEvent } from './response-event.ts';
import { type Advice, readAdvice, readHeader, sendForOwner } from './send-for-owner.ts';

/** What became of one request to the gateway for a background response. */
export type GenerationResult = Unreachable | Rejected | Streamed;

/** The gateway has not begun to send events. */
export interface Rejected extends Advice {
  readonly outcome: 'rejected';
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** Why the response cannot go on behind the events that are stored. */
  readonly beginAnew: string | undefined;
}

export interface Streamed {
  readonly outcome: 'streamed';
  /** The event with which the response has ended; undefined if the stream broke off. */
  readonly last: ReceivedEvent | undefined;
  /** Why the gateway has ended the stream; undefined if it is complete, or broke off. */
  readonly error: GatewayError | undefined;
}

export interface GenerationOptions {
  /** The id of the key to act for; empty where no key is required. */
  readonly owner: string;
  readonly user: string | null;
  readonly id: string;
  /** Gets all events but the last, in their order. The next are read when it has resolved. */
  readonly onEvents: (events: readonly ReceivedEvent[]) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Requests the generation of a background response. The gateway takes the request, and the events so far, from the store, and goes on behind
 * them. Throws only the reason of the signal.
 */
export function generateResponse(
  gateway: GatewayClient,
  { owner, user, id, onEvents, signal }: GenerationOptions,
): Promise<GenerationResult> {
  const request = {
    owner,
    user,
    requestId: id,
    path: '/v1/responses',
    body: '{}',
    job: { 'x-corral-response': id },
  };
  const read = (response: GatewayResponse): Promise<GenerationResult> =>
    response.statusCode === 200 ? readStream(response, onEvents) : readError(response);
  return sendForOwner(gateway, request, read, signal);
}

async function readStream(
  { body }: GatewayResponse,
  onEvents: GenerationOptions['onEvents'],
): Promise<Streamed> {
  const splitter = new EventSplitter();
  let last: ReceivedEvent | undefined;
  let error: GatewayError | undefined;
  for await (const chunk of body) {
    const complete = splitter.push(chunk);
    if (complete === undefined) continue;
    const blocks = splitEvents(complete.toString());
    const events = blocks.flatMap((block) => readEvent(block) ?? []);
    last ??= events.find(({ isLast }) => isLast);
    error ??= blocks.map(readErrorEvent).find((found) => found !== undefined);
    await onEvents(events.filter(({ sequence }) => last === undefined || sequence < last.sequence));
  }
  return { outcome: 'streamed', last, error };
}

async function readError(response: GatewayResponse): Promise<Rejected> {
  return {
    ...readAdvice(response),
    outcome: 'rejected',
    status: response.statusCode,
    ...readReason(await readText(response.body)),
    beginAnew: readHeader(response, 'x-corral-begin-anew'),
  };
}

function readReason(text: string): { readonly code: string; readonly message: string } {
  try {
    const { code, message } = JSON.parse(text).error;
    return { code: String(code), message: String(message) };
  } catch {
    return { code: 'server_error', message: 'the gateway gave no reason' };
  }
}
