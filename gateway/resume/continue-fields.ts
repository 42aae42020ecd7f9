import { appendFields } from '../api/json-text.ts';
import type { CompletionShape } from '../api/route-table.ts';

/**
 * The words in which llama-server is asked to continue the last message and to say only what is new. Which of them are
 * its defaults has changed from build to build; `/v1/messages` reads none of them.
 */
export const continueFields = {
  continue_final_message: true,
  add_generation_prompt: false,
  echo: false,
} as const;

const members = JSON.stringify(continueFields).slice(1, -1);

/** Whether an API of llama-server reads these words. */
export const supportsContinueFields = (shape: CompletionShape): boolean =>
  shape === 'chat' || shape === 'response';

/** The same request, in these words as far as its API reads them. */
export function withContinueFields(shape: CompletionShape, body: Buffer): Buffer {
  return supportsContinueFields(shape) ? appendFields(body, members) : body;
}
