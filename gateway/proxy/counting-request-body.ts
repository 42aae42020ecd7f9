import { findInputsField, getInputs } from '../api/request-fields.ts';
import type { ApiRoute } from '../api/route-table.ts';

/**
 * What the route's counting route takes for a body. Most take the body itself; `/tokenize` takes the inputs as one list of
 * texts and tokens, special tokens added and read as for the first of them.
 */
export function countingRequestBody({ countPath, inputsField }: ApiRoute, body: Buffer): Buffer | object {
  if (countPath !== '/tokenize' || inputsField === undefined) return body;
  const fields = JSON.parse(body.toString()) as Readonly<Record<string, unknown>>;
  const inputs = getInputs(inputsField, fields) ?? [];
  const isReranking = inputsField === 'documents' && findInputsField(inputsField, fields) !== undefined;
  const content = isReranking ? inputs.flatMap((text) => [fields.query, text]) : inputs;
  return { content: content.flatMap(piecesOf), add_special: true, parse_special: true };
}

/** Of an input in any of its forms, what `/tokenize` reads. */
function piecesOf(input: unknown): readonly unknown[] {
  if (Array.isArray(input)) return input.flatMap(piecesOf);
  if (typeof input === 'string' || Number.isInteger(input)) return [input];
  const { prompt_string: text } = (input ?? {}) as { prompt_string?: unknown };
  return text === undefined ? [] : piecesOf(text);
}
