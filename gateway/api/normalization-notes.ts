import type { ToolAlias } from './tool-aliases.ts';

/** How the answer to a changed request has to be changed back. */
export type ResponseConversion = 'legacy function call' | 'message';

/** What was done to a request beside its fields; its client is told. */
export interface NormalizationNotes {
  /** Damaged or lost parts of a replayed history that were made whole. */
  repaired: number;
  /** The types of tools that run elsewhere, which the model is not told of. */
  readonly droppedTools: Set<string>;
  /** Tools that go by another name or form. */
  readonly toolAliases: Map<string, ToolAlias>;
  responseConversion?: ResponseConversion;
}

export const createNotes = (): NormalizationNotes => ({
  repaired: 0,
  droppedTools: new Set(),
  toolAliases: new Map(),
});

/** What a client finds in the head of its answer. */
export function notesToHeaders({
  repaired,
  droppedTools,
}: NormalizationNotes): Readonly<Record<string, string>> {
  return {
    ...(repaired > 0 ? { 'x-corral-repaired': String(repaired) } : {}),
    ...(droppedTools.size > 0 ? { 'x-corral-dropped-tools': [...droppedTools].join(', ') } : {}),
  };
}
