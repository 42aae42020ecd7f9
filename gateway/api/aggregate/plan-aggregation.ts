import type { AggregationPlan, CompletionShape } from './aggregator.ts';
import { getCompletionPrefix } from './completion-prefix.ts';

/**
 * Undefined where no stream tells all that the answer in one piece would, as with `verbose`. Anthropic's API tells what is
 * new alone, whatever its request began with, and that every stream tells.
 */
export function planAggregation(
  shape: CompletionShape,
  fields: Readonly<Record<string, unknown>>,
  tellsBeginning: boolean,
): AggregationPlan | undefined {
  if (!tellsBeginning) return { shape, prefix: '' };
  const begun = fields.verbose ? undefined : getCompletionPrefix(shape, fields);
  return begun === undefined ? undefined : { shape, prefix: begun };
}
