import { invalidValue } from '../../errors/catalogue.ts';
import { MAX_REPETITIONS } from './expression-size.ts';
import type { JsonObject } from './objects.ts';

const lengths = [
  ['minLength', 'maxLength'],
  ['minItems', 'maxItems'],
] as const;

/** The bounds of an integer that has one on one side only: with more digits the engine makes an endless grammar of it. */
const LARGEST_ALONE = 1e15;
const LARGEST = 2 ** 63;

/** Refuses ranges of a schema that hold nothing, or more than the engine's arithmetic. */
export function validateRanges(schema: JsonObject, place: (suffix: string) => string): void {
  for (const [least, most] of lengths) refuseBadLengths(schema, least, most, place);
  const { type } = schema;
  if (type === 'integer' || (Array.isArray(type) && type.includes('integer')))
    refuseBadIntegers(schema, place);
}

function refuseBadLengths(
  schema: JsonObject,
  least: string,
  most: string,
  place: (suffix: string) => string,
): void {
  const [min, max] = [schema[least], schema[most]];
  for (const [name, value] of [
    [least, min],
    [most, max],
  ] as const) {
    if (typeof value === 'number' && !(Number.isInteger(value) && value >= 0 && value < 2 ** 31))
      throw invalidValue(place(`.${name}`), 'a whole number from 0 up to 2147483647');
  }
  if (typeof min !== 'number') return;
  if (min >= MAX_REPETITIONS) throw invalidValue(place(`.${least}`), `a number below ${MAX_REPETITIONS}`);
  if (typeof max === 'number' && min > max)
    throw invalidValue(place(`.${least}`), `a number that is not above '${most}'`);
}

function refuseBadIntegers(schema: JsonObject, place: (suffix: string) => string): void {
  const min = boundOf(schema, 'minimum', 'exclusiveMinimum', 1, place);
  const max = boundOf(schema, 'maximum', 'exclusiveMaximum', -1, place);
  if (min !== undefined && max !== undefined && min > max)
    throw invalidValue(place(`.minimum`), `a number that is not above 'maximum'`);
  if (min !== undefined && max === undefined && min >= LARGEST_ALONE)
    throw invalidValue(place(`.minimum`), `a number below 1e15, or a 'maximum' beside it`);
  if (max !== undefined && min === undefined && max <= -LARGEST_ALONE)
    throw invalidValue(place(`.maximum`), `a number above -1e15, or a 'minimum' beside it`);
}

/** As the engine reads it: the one that includes its bound goes first. */
function boundOf(
  schema: JsonObject,
  including: string,
  excluding: string,
  step: number,
  place: (suffix: string) => string,
): number | undefined {
  for (const name of [including, excluding]) {
    const value = schema[name];
    if (typeof value === 'number' && Math.abs(value) >= LARGEST)
      throw invalidValue(place(`.${name}`), 'a number that fits into 64 bits');
  }
  const [inner, outer] = [schema[including], schema[excluding]];
  if (typeof inner === 'number') return Math.trunc(inner);
  return typeof outer === 'number' ? Math.trunc(outer) + step : undefined;
}
