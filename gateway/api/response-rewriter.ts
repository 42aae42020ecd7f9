/** Puts right, on its way, what an engine's answer lacks of what its API promises. There is one to an answer. */
export interface ResponseRewriter {
  /** Whole events of a stream, in their order. */
  rewriteEvents(events: Buffer): Buffer;
  /** An answer in one piece. */
  rewriteBody(body: Buffer): Buffer;
}
