import type { ToolForm } from './tool-forms.ts';

/** How the answer to a changed request has to be changed back. */
export type AnswerForm = 'legacy function call' | 'message';

/** What was done to a request beside its fields; its client is told. */
export interface Notes {
  /** Damaged or lost parts of a replayed history that were made whole. */
  repaired: number;
  /** The types of tools that run elsewhere, which the model is not told of. */
  readonly droppedTools: Set<string>;
  /** Tools that go by another name or form. */
  readonly toolForms: Map<string, ToolForm>;
  answerForm?: AnswerForm;
}

export const newNotes = (): Notes => ({ repaired: 0, droppedTools: new Set(), toolForms: new Map() });

/** What a client finds in the head of its answer. */
export function headersOf({ repaired, droppedTools }: Notes): Readonly<Record<string, string>> {
  return {
    ...(repaired > 0 ? { 'x-corral-repaired': String(repaired) } : {}),
    ...(droppedTools.size > 0 ? { 'x-corral-dropped-tools': [...droppedTools].join(', ') } : {}),
  };
}
