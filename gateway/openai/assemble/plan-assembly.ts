import type { AnswerShape, AssemblyPlan } from './assembly.ts';
import { begunAnswer } from './begun-answer.ts';

/**
 * Undefined where no stream tells all that the answer in one piece would, as with `verbose`. Anthropic's API tells what is
 * new alone, whatever its request began with, and that every stream tells.
 */
export function planAssembly(
  shape: AnswerShape,
  fields: Readonly<Record<string, unknown>>,
  tellsBeginning: boolean,
): AssemblyPlan | undefined {
  if (!tellsBeginning) return { shape, begun: '' };
  const begun = fields.verbose ? undefined : begunAnswer(shape, fields);
  return begun === undefined ? undefined : { shape, begun };
}
