import type { CompletionShape } from '../api/route-table.ts';

/** How a build of llama-server, as it was started, treats a last message of the assistant on one of its APIs. */
export interface PrefillBehaviour {
  /** It goes on from it; else it begins an answer of its own behind it. */
  readonly continues: boolean;
  /** Its stream begins with that message's text. */
  readonly streamRepeats: boolean;
  /** Its answer in one piece does, and the closing events of a stream of Responses. */
  readonly jsonRepeats: boolean;
}

export interface PrefillQuery {
  readonly api: Exclude<CompletionShape, 'completion'>;
  /** Said outright, by the fields of explicitly.ts. */
  readonly isExplicit: boolean;
  /** Of several models behind one address. */
  readonly model: string | undefined;
}
