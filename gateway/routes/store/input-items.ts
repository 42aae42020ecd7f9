import type { JsonObject } from '../../../json/json-object.ts';
import type { InputItem, StoredItem } from '../../../store/response.ts';
import { isJsonObject } from '../../api/json.ts';
import { createNotes } from '../../api/normalization.ts';
import { normalizeItem } from '../../api/responses/items.ts';
import { rejectRemoteMediaIn } from '../../api/validate/media.ts';
import { invalidValue } from '../../errors/catalogue.ts';
import { referencedItemNotFound } from '../../errors/responses-catalogue.ts';

interface ReadOptions {
  readonly most: number;
  readonly allowRemoteMedia: boolean;
  /** Finds a stored item of the same owner. */
  readonly find: (id: string) => StoredItem | undefined;
}

/**
 * The items in a field of a request, to be stored as the client sent them. Throws an ApiError for one that could be given to
 * no response later.
 */
export function readItems(
  field: string,
  value: unknown,
  { most, allowRemoteMedia, find }: ReadOptions,
): InputItem[] {
  if (!Array.isArray(value)) throw invalidValue(field, 'a list of items', value);
  if (value.length > most) throw invalidValue(field, `at most ${most} items`, value.length);
  if (!allowRemoteMedia) rejectRemoteMediaIn(value, field);
  return value.map((item: unknown, index) => {
    const place = `${field}[${index}]`;
    const stored = isJsonObject(item) ? referenceOf(item) : undefined;
    if (stored === undefined) return { item: readItem(item, place) };
    if (find(stored) === undefined) throw referencedItemNotFound(stored, place);
    return { stored };
  });
}

/** The id of the stored item that an item stands for. */
export function referenceOf({ type, role, id }: JsonObject): string | undefined {
  const isReference = type === 'item_reference' || (type === undefined && role === undefined);
  return isReference && typeof id === 'string' ? id : undefined;
}

function readItem(item: unknown, place: string): JsonObject {
  normalizeItem(item, place, createNotes());
  return withUsableId(item as JsonObject);
}

/** Without an id that does not fit into a path: the store makes another one. */
export function withUsableId(item: JsonObject): JsonObject {
  const { id, ...rest } = item;
  return id === undefined || (typeof id === 'string' && /^[\w-]{1,128}$/.test(id)) ? item : rest;
}
