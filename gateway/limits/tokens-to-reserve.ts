import type { TokenEstimate } from '../api/request-size.ts';

/** Output to reckon with for each answer whose request names no end. */
const USUAL_OUTPUT = 1024;

export interface ReservationBounds {
  /** Tokens per minute. */
  readonly limit: number;
  /** What one sequence can hold at the most; undefined while the backend has not said so. */
  readonly context: number | undefined;
  /** Whether the backend writes anything, or only reads. */
  readonly generates: boolean;
}

/**
 * How many tokens a request puts aside until it is known what it takes. Where it names no end, a guess stands in, which
 * must not be what makes it too large for the limit.
 */
export function tokensToReserve(
  { input, inputs, output, completions }: TokenEstimate,
  { limit, context = Number.POSITIVE_INFINITY, generates }: ReservationBounds,
): number {
  const read = Math.min(input, context * inputs);
  if (!generates) return read;
  if (output !== undefined) return read + Math.min(output, context) * completions;
  return read + Math.min(Math.min(USUAL_OUTPUT, context) * completions, Math.max(limit - read, 0));
}
