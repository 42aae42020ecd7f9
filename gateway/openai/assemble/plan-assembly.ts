import type { AnswerShape, AssemblyPlan } from './assembly.ts';
import { begunAnswer } from './begun-answer.ts';

/** Undefined where no stream tells all that the answer in one piece would, as with `verbose`. */
export function planAssembly(
  shape: AnswerShape,
  fields: Readonly<Record<string, unknown>>,
): AssemblyPlan | undefined {
  const begun = fields.verbose ? undefined : begunAnswer(shape, fields);
  return begun === undefined ? undefined : { shape, begun };
}
