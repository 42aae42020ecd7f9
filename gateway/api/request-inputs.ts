import type { CompletionShape } from './aggregate/aggregator.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Which field of a route may hold several inputs, each of which llama-server decodes for itself. */
export type InputsField = 'prompt' | 'input' | 'documents';

/** The inputs of a request, one for each sequence that is read; undefined where the route takes only one. */
export function getInputs(batch: InputsField | undefined, fields: Fields): readonly unknown[] | undefined {
  if (batch === undefined) return undefined;
  const field = findInputsField(batch, fields);
  return field === undefined ? undefined : partsOf(fields[field]);
}

/** The field that llama-server reads of those that may hold the inputs. */
export function findInputsField(batch: InputsField, fields: Fields): string | undefined {
  if (batch === 'prompt') return 'prompt';
  if (batch === 'input') return ['input', 'content'].find((name) => name in fields);
  // A list of another kind than of texts counts as none there.
  return ['documents', 'texts'].find((name) => isListOfTexts(fields[name]));
}

/**
 * A list is several inputs, unless a number stands in it: then it is the tokens of one (`tokenize_input_prompts` of
 * llama-server, which has it so for prompts and embeddings alike).
 */
function partsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) && value.length > 0 && !value.some(Number.isInteger) ? value : [value];
}

const isListOfTexts = (value: unknown) =>
  Array.isArray(value) && value.every((text) => typeof text === 'string');

/**
 * How many answers are made of each input. llama-server knows `n_cmpl`, which stands before `n`, on all its routes but
 * Messages; `best_of` it refuses or passes over, other servers' names it does not know.
 */
export function countChoices(shape: CompletionShape | undefined, { n_cmpl, n }: Fields): number {
  if (shape === 'message') return 1;
  const choices = n_cmpl ?? n;
  return typeof choices === 'number' && choices >= 1 ? Math.trunc(choices) : 1;
}
