import { unsupportedValue } from '../../errors/catalogue.ts';
import type { JsonObject } from '../json-object.ts';

/** llama-server passes over these three without a word, and its answer would be to another question. */
export function normalizeCompletion(fields: JsonObject): JsonObject {
  const { suffix, echo, best_of } = fields;
  if (typeof suffix === 'string' && suffix !== '')
    throw unsupportedValue(
      'suffix',
      'is not read on this route. /infill fills a gap: a key with the scope native may.',
    );
  if (echo === true)
    throw unsupportedValue('echo', 'is not there: answers do not repeat their prompt. Leave it out.');
  if (typeof best_of === 'number' && best_of > Number(fields.n ?? 1))
    throw unsupportedValue('best_of', 'is not there: every answer made is given. Ask for as many with n.');
  return fields;
}
