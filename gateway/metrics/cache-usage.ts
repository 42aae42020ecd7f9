interface Slot {
  readonly n_ctx?: unknown;
  readonly is_processing?: unknown;
  /** All that stands in its context, what was generated included. */
  readonly n_prompt_tokens?: unknown;
}

/**
 * The part of the context that running requests fill, 0 to 1, as `/slots` tells; undefined where it does not. `unified`:
 * the slots share one context, and each calls it its own.
 */
export function cacheUsage(answer: string, unified: boolean): number | undefined {
  const slots = slotsIn(answer);
  if (slots.length === 0) return undefined;
  const contexts = slots.map(({ n_ctx }) => (typeof n_ctx === 'number' ? n_ctx : 0));
  const room = unified ? Math.max(...contexts) : contexts.reduce((sum, context) => sum + context, 0);
  const filled = slots.reduce(
    (sum, { is_processing, n_prompt_tokens: tokens }) =>
      is_processing === true && typeof tokens === 'number' ? sum + tokens : sum,
    0,
  );
  return room > 0 ? Math.min(filled / room, 1) : undefined;
}

function slotsIn(answer: string): Slot[] {
  try {
    const slots: unknown = JSON.parse(answer);
    return Array.isArray(slots) ? slots.filter((slot) => typeof slot === 'object' && slot !== null) : [];
  } catch {
    return [];
  }
}
