import type { Metadata } from '../../../store/conversations.ts';
import { invalidValue } from '../../errors/catalogue.ts';

/** Limits of OpenAI's API. */
const [MAX_PAIRS, MAX_KEY, MAX_VALUE] = [16, 64, 512];

/** The field `metadata` of a request: null if there is none. Throws an ApiError for anything else than a few short texts. */
export function readMetadata(value: unknown): Metadata | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'object' || Array.isArray(value)) throw invalidValue('metadata', 'an object', value);
  const entries = Object.entries(value);
  if (entries.length > MAX_PAIRS)
    throw invalidValue('metadata', `at most ${MAX_PAIRS} pairs`, entries.length);
  for (const [name, text] of entries) {
    if (name.length > MAX_KEY)
      throw invalidValue('metadata', `keys of at most ${MAX_KEY} characters`, name.length);
    if (typeof text !== 'string') throw invalidValue('metadata', 'strings as values', text);
    if (text.length > MAX_VALUE)
      throw invalidValue('metadata', `values of at most ${MAX_VALUE} characters`, text.length);
  }
  return Object.fromEntries(entries);
}
