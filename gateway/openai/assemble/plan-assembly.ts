import type { AnswerShape, AssemblyPlan } from './assembly.ts';
import { begunAnswer } from './begun-answer.ts';

/** Undefined where no stream tells all that the answer in one piece would, as with `verbose`, which `/v1/messages` does not read. */
export function planAssembly(
  shape: AnswerShape,
  fields: Readonly<Record<string, unknown>>,
): AssemblyPlan | undefined {
  const tellsLess = fields.verbose && shape !== 'message';
  const begun = tellsLess ? undefined : begunAnswer(shape, fields);
  return begun === undefined ? undefined : { shape, begun };
}
