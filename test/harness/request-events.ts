import { parseEvents, type StreamEvent } from '../../sse/sse.ts';
import { RawClient } from './raw-client.ts';
import { postOf } from './raw-request.ts';

export interface EventsResponse {
  /** The body as received. */
  readonly text: string;
  /** The JSON data of its events. */
  readonly events: readonly StreamEvent[];
}

/** Requests a stream and reads it to its end. Throws if the status is not 200. */
export async function requestEvents(port: number, path: string, body: object): Promise<EventsResponse> {
  await using client = await RawClient.connect(port);
  const response = await client.send(postOf({ ...body, stream: true }, { path })).response();
  if (response?.status !== 200) throw new Error(`${path} responded ${response?.status}: ${response?.body}`);
  return { text: response.body, events: parseEvents(response.body) };
}

interface Delta {
  readonly content?: string;
  readonly reasoning_content?: string;
}

/** The text of the events of a chat. */
export function chatTextIn(events: readonly StreamEvent[], field: keyof Delta = 'content'): string {
  const deltas = events.map(({ choices }) => (choices as { delta?: Delta }[] | undefined)?.[0]?.delta);
  return deltas.map((delta) => delta?.[field] ?? '').join('');
}
