/** Puts right, on its way, what an engine's answer lacks of what its API promises. There is one to an answer. */
export interface AnswerMender {
  /** Whole events of a stream, in their order. */
  events(events: Buffer): Buffer;
  /** An answer in one piece. */
  whole(body: Buffer): Buffer;
}
