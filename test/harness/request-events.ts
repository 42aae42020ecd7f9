import { parseEvents, type StreamEvent } from '../../sse/sse.ts';
import { RawClient } from './raw-client.ts';
import { postOf } from './raw-request.ts';

export interface EventsResponse {
  /** The body as it came. */
  readonly text: string;
  /** The data of its events, as far as it is JSON. */
  readonly events: readonly StreamEvent[];
}

/** Asks for a stream and reads it to its end; one that is not answered with 200 throws. */
export async function requestEvents(port: number, path: string, body: object): Promise<EventsResponse> {
  await using client = await RawClient.connect(port);
  const answer = await client.send(postOf({ ...body, stream: true }, { path })).response();
  if (answer?.status !== 200) throw new Error(`${path} answered ${answer?.status}: ${answer?.body}`);
  return { text: answer.body, events: parseEvents(answer.body) };
}

interface Delta {
  readonly content?: string;
  readonly reasoning_content?: string;
}

/** What the events of a chat say. */
export function chatTextIn(events: readonly StreamEvent[], what: keyof Delta = 'content'): string {
  const deltas = events.map(({ choices }) => (choices as { delta?: Delta }[] | undefined)?.[0]?.delta);
  return deltas.map((delta) => delta?.[what] ?? '').join('');
}
