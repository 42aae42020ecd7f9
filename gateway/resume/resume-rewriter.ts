import type { ResponseRewriter } from '../api/response-format.ts';
import type { TokenShift } from './combine-usage.ts';

/** What is known where one engine's stream ended and another's goes on. */
export interface ResumePoint {
  /** The events that have opened the answer for its client, as they were sent by the first engine. */
  readonly opening: string;
  /** Those with which it has begun to end. */
  readonly closing: string;
  /** The text said before. */
  readonly content: string;
  /**
   * Nothing more is to be said: what the next engine says, as it has to say one token at least, is not passed on.
   * `at-limit`: all the tokens allowed are said.
   */
  readonly finished: 'no' | 'at-limit' | 'told';
  /** The closing events of the next engine tell the text said before as well, where they tell the whole. */
  readonly closingRepeatsText: boolean;
  readonly tokenShift: TokenShift;
}

/** Makes the events of another engine's stream the rest of the one that its client has begun to read. */
export type ResumeRewriter = Pick<ResponseRewriter, 'rewriteEvents'>;
