import type { JsonObject } from '../json/json-object.ts';

/** In characters of JSON. */
const LARGEST_MEMBER = 512;

/** A member of an object that is stored on its own. */
interface ObjectPart {
  readonly name: string;
  readonly value: unknown;
}

export interface SplitObject {
  readonly object: JsonObject;
  readonly parts: readonly ObjectPart[];
}

/**
 * The object of a response without its output, whose items are stored one by one, and without its large members: tools and
 * instructions are the same from turn to turn, and stored once.
 */
export function splitObject(object: JsonObject): SplitObject {
  const parts = Object.entries(object)
    .filter(([name]) => name !== 'output')
    .filter(([, value]) => typeof value === 'object' || typeof value === 'string')
    .filter(([, value]) => JSON.stringify(value).length > LARGEST_MEMBER)
    .map(([name, value]) => ({ name, value }));
  const places = parts.map(({ name }) => [name, null] as const);
  return { object: { ...object, output: null, ...Object.fromEntries(places) }, parts };
}

/** The inverse. */
export function joinObject({ object, parts }: SplitObject, output: readonly JsonObject[]): JsonObject {
  return { ...object, ...Object.fromEntries(parts.map(({ name, value }) => [name, value])), output };
}
