import type { JsonObject } from '../../../json/json-object.ts';
import type { InputItem } from '../../../store/response.ts';
import type { Store } from '../../../store/store.ts';
import { isJsonObject } from '../../api/json.ts';
import { createNotes } from '../../api/normalization.ts';
import { normalizeItem } from '../../api/responses/items.ts';
import { rejectRemoteMedia } from '../../api/validate/media.ts';
import { invalidValue } from '../../errors/catalogue.ts';
import { referencedItemNotFound } from '../../errors/responses-catalogue.ts';
import { referenceOf, withUsableId } from '../store/input-items.ts';

/** The input of a request itself, without what it continues. */
export interface OwnInput {
  /** What the model is given, with stored items in the places of references to them. */
  readonly items: readonly JsonObject[];
  /** The same, to be stored. */
  readonly stored: readonly InputItem[];
  readonly hasReferences: boolean;
}

/** Only the items of its owner are found. Throws an ApiError. */
export function readInput(input: unknown, owner: string, store: () => Store): OwnInput {
  const list = toList(input);
  const items: JsonObject[] = [];
  const stored: InputItem[] = [];
  let hasReferences = false;
  list.forEach((item, index) => {
    if (!isJsonObject(item)) throw invalidValue(`input[${index}]`, 'an item: an object', item);
    const id = referenceOf(item);
    if (id === undefined) {
      items.push(item);
      stored.push({ item: withUsableId(item) });
      return;
    }
    const found = store().responses.findItem(owner, id);
    if (found === undefined) throw referencedItemNotFound(id, `input[${index}]`);
    hasReferences = true;
    items.push(found.item);
    stored.push({ stored: id });
  });
  return { items, stored, hasReferences };
}

/** A text is a message of the user. */
function toList(input: unknown): readonly unknown[] {
  if (input === undefined || input === null) return [];
  if (typeof input === 'string')
    return [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: input }] }];
  if (!Array.isArray(input)) throw invalidValue('input', 'a string, or a list of items', input);
  return input;
}

/**
 * Checks the items of a request that continues something, while their places are those that the client knows: an error
 * names the place. Throws an ApiError.
 */
export function checkInput({ items }: OwnInput, allowRemoteMedia: boolean): void {
  for (const [index, item] of items.entries()) normalizeItem(item, `input[${index}]`, createNotes());
  if (!allowRemoteMedia) rejectRemoteMedia({ input: items });
}
