import { mayHaveInexactNumbers, parseKeepingNumbers } from '../../../json/exact-numbers.ts';
import type { JsonObject } from '../../../json/json-object.ts';
import { withFields } from '../../api/json.ts';
import type { History } from './read-history.ts';
import type { OwnInput } from './read-input.ts';

export interface ExpandedRequest {
  readonly body: Buffer;
  readonly fields: JsonObject;
}

const noState = { previous_response_id: undefined, conversation: undefined, background: undefined };

/** A request without state that means the same: the history is a part of its input. `text` is the request as it came. */
export function expandRequest(
  text: string,
  fields: JsonObject,
  own: Pick<OwnInput, 'items'>,
  { items, tools: inherited }: History,
): ExpandedRequest {
  const members = { ...noState, input: [...items, ...own.items], tools: fields.tools ?? inherited };
  const expanded = withFields(fields, members);
  const sent = mayHaveInexactNumbers(text) ? withMembers(text, members) : expanded;
  return { body: Buffer.from(JSON.stringify(sent)), fields: expanded };
}

/** What is stored of a request that is to be sent later, as a stream: everything but its input. */
export function requestWithoutInput(text: string, fields: JsonObject, { tools }: History): string {
  const members = { ...noState, input: undefined, tools: fields.tools ?? tools, stream: true };
  return JSON.stringify(withMembers(text, members));
}

/** With all numbers as the client wrote them. */
const withMembers = (text: string, members: JsonObject) =>
  withFields(parseKeepingNumbers(text) as JsonObject, members);
