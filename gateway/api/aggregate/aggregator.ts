/** Puts the events of a stream together into the answer that the backend would have given in one piece. */
export interface Aggregator {
  /** The next event of the stream, parsed. */
  add(event: unknown): void;
  /** The whole answer; undefined where the stream lacked a part of it. */
  result(): object | undefined;
}

/** The shapes that an answer can be assembled in: one for each API that streams. */
export type CompletionShape = 'chat' | 'completion' | 'response' | 'message';

/** How the stream of a request becomes the answer in one piece that its client waits for. */
export interface AggregationPlan {
  readonly shape: CompletionShape;
  /** What the engine's own answer in one piece begins with and the stream does not repeat. */
  readonly prefix: string;
}
