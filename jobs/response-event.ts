import type { JsonObject } from '../json/json-object.ts';
import { formatEvent } from '../sse/sse.ts';
import type { ResponseEvent, ResponseStatus } from '../store/response.ts';

/** An event of a response as the gateway sends it. */
export interface ReceivedEvent extends ResponseEvent {
  /** Nothing follows it. */
  readonly isLast: boolean;
}

export interface GatewayError {
  readonly code: string;
  readonly message: string;
}

const lastEvent = /^event: response\.(?:completed|incomplete|failed)\n/;

/** Undefined for what is no event of a response, such as a comment, and the error event that may follow the last one. */
export function readEvent(block: string): ReceivedEvent | undefined {
  // The gateway writes the number last.
  const number = /,"sequence_number":(\d+)\}\n*$/.exec(block)?.[1];
  if (number === undefined || !block.startsWith('event: response.')) return undefined;
  const text = `${block.trimEnd()}\n\n`;
  return { sequence: Number(number), text, isLast: lastEvent.test(text) };
}

/** It has the code of the gateway, while that of the response is one of OpenAI's list. Undefined for other events. */
export function readErrorEvent(block: string): GatewayError | undefined {
  return block.startsWith('event: error\n') ? dataOf(block) : undefined;
}

/** The response in the last event. */
export function readResponse({ text }: ReceivedEvent): JsonObject & { readonly status: ResponseStatus } {
  return dataOf(text).response;
}

const dataOf = (block: string) => JSON.parse(block.slice(block.indexOf('\ndata: ') + '\ndata: '.length));

/** The last events of a response that has failed without one of the gateway. Clients want every response announced first. */
export function failedEvents(response: JsonObject, next: number, isAnnounced: boolean): ReceivedEvent[] {
  const failed = { type: 'response.failed', response };
  const created = { type: 'response.created', response: { ...response, status: 'in_progress', error: null } };
  return (isAnnounced ? [failed] : [created, failed]).map((event, index) => {
    const sequence = next + index;
    const text = formatEvent({ ...event, sequence_number: sequence }, event.type);
    return { sequence, text, isLast: event === failed };
  });
}
