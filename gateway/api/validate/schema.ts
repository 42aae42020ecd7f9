import type { JsonObject } from '../../../json/json-object.ts';
import { invalidValue } from '../../errors/catalogue.ts';
import { asList, isJsonObject } from '../json.ts';
import { MAX_REPETITIONS } from './expression.ts';
import { validatePattern } from './pattern.ts';

/** Objects with this many optional properties take llama-server a second: its work grows with the cube of their number. */
const MAX_OPTIONAL = 600;
const MAX_OPTIONAL_CUBED = 2 * MAX_OPTIONAL ** 3;
const MAX_PROPERTIES = 5000;
/** Property names become names of grammar rules, in which all characters but letters and digits are the same. */
const MAX_SIMILAR_NAMES = 300;
const MAX_NAME_LENGTH = 1000;
/** The most alternatives of an `enum`, of `oneOf` and similar keywords: llama-server tries each at every token. */
const MAX_ALTERNATIVES = 3000;
/** Each reference costs llama-server a copy of the whole schema. */
const MAX_COPIED = 5_000_000;
const MAX_REFERENCE_CHAIN = 100;
/** How much of the path to a place an error shows. */
const MAX_PATH_STEPS = 12;
const MAX_SHOWN_NAME = 60;

/** Keywords that hold a value, not a schema. A property of such a name does hold a schema. */
const valueKeywords = new Set(['const', 'default', 'enum', 'examples']);
/** Keywords that hold schemas under names of the client's own. */
const mapKeywords = new Set(['properties', '$defs', 'definitions', 'patternProperties', 'dependentSchemas']);

const limitedKeywords = new Set([
  ...['pattern', 'properties', '$ref', 'enum', 'oneOf', 'anyOf', 'allOf', 'prefixItems', 'items'],
  ...['minLength', 'maxLength', 'minItems', 'maxItems'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
]);

function hasLimitedKeyword(schema: JsonObject): boolean {
  for (const name in schema) if (limitedKeywords.has(name)) return true;
  return Array.isArray(schema.type);
}

/** Validates one complete schema of a request: its cost for llama-server is the sum of the costs of its parts. */
export class SchemaValidator {
  readonly #root: unknown;
  readonly #place: string;
  readonly #references = new Set<string>();
  /** The place that is being visited. */
  readonly #path: (string | number)[] = [];
  #values = 0;
  #optionalCubed = 0;
  #properties = 0;

  constructor(root: unknown, place: string) {
    this.#root = root;
    this.#place = place;
  }

  validate(): void {
    this.#visit(this.#root, false);
    if (this.#references.size * this.#values > MAX_COPIED)
      throw invalidValue(this.#place, 'a smaller schema, or one with fewer uses of $ref');
  }

  /** Visits every object and list, because any keyword may hold a schema. */
  #visit(value: unknown, isMap: boolean): void {
    this.#values += 1;
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) this.#visitStep(index, value[index], false);
    } else if (isJsonObject(value)) {
      if (!isMap && hasLimitedKeyword(value)) this.#validateSchema(value);
      for (const name in value) {
        const inner = value[name];
        if (typeof inner !== 'object') this.#values += 1;
        else if (isMap || !valueKeywords.has(name))
          this.#visitStep(name, inner, !isMap && mapKeywords.has(name));
      }
    }
  }

  #visitStep(step: string | number, value: unknown, isMap: boolean): void {
    this.#path.push(step);
    this.#visit(value, isMap);
    this.#path.pop();
  }

  #validateSchema(schema: JsonObject): void {
    validateRanges(schema, this.#getPlace);
    const { pattern, type, properties, $ref: reference } = schema;
    if (typeof pattern === 'string') validatePattern(pattern, () => this.#getPlace('.pattern'));
    if (Array.isArray(type) && new Set(type).size < type.length) this.#reject('.type', 'each type only once');
    for (const name of ['enum', 'oneOf', 'anyOf', 'allOf', 'prefixItems', 'items'] as const) {
      const list = schema[name];
      if (Array.isArray(list) && list.length > MAX_ALTERNATIVES)
        this.#reject(`.${name}`, `at most ${MAX_ALTERNATIVES} items, not ${list.length}`);
    }
    if (isJsonObject(properties)) this.#validateProperties(properties, schema);
    if (typeof reference === 'string') this.#followReference(reference);
  }

  #validateProperties(properties: JsonObject, { required, additionalProperties }: JsonObject): void {
    const names = Object.keys(properties);
    const requiredNames = new Set(asList(required));
    const optional = names.filter((name) => !requiredNames.has(name)).length + (additionalProperties ? 1 : 0);
    this.#properties += names.length;
    this.#optionalCubed += optional ** 3;
    if (this.#properties > MAX_PROPERTIES)
      throw invalidValue(this.#place, `a schema with at most ${MAX_PROPERTIES} properties`);
    if (this.#optionalCubed > MAX_OPTIONAL_CUBED || optional > MAX_OPTIONAL)
      this.#reject(
        '.properties',
        `at most ${MAX_OPTIONAL} optional properties, not ${optional}; add the others to 'required', or split the object`,
      );
    if (names.some((name) => name.length > MAX_NAME_LENGTH))
      this.#reject('.properties', `names of at most ${MAX_NAME_LENGTH} characters`);
    if (names.length > MAX_SIMILAR_NAMES && countSimilar(names) > MAX_SIMILAR_NAMES)
      this.#reject(
        '.properties',
        `at most ${MAX_SIMILAR_NAMES} names that differ only in characters other than the letters a to z and digits`,
      );
  }

  /** A reference to nothing but a reference is followed, and must end. */
  #followReference(reference: string): void {
    if (this.#references.has(reference)) return;
    this.#references.add(reference);
    if (!reference.startsWith('#'))
      this.#reject('.$ref', 'a reference within the schema (#/$defs/…), because others are not fetched');
    let next: string | undefined = reference;
    for (let steps = 0; next !== undefined; steps++) {
      if (steps > MAX_REFERENCE_CHAIN)
        this.#reject('.$ref', 'a reference that leads to a schema, and not back to itself');
      const target: unknown = resolveReference(this.#root, next);
      // The target is at a place where the visit looks for no schema.
      if (next.split('/').some((step) => valueKeywords.has(step))) this.#visit(target, false);
      const further: unknown = isJsonObject(target) ? target.$ref : undefined;
      next = typeof further === 'string' ? further : undefined;
    }
  }

  readonly #getPlace = (suffix: string): string => {
    const steps = this.#path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${shorten(step)}`));
    if (steps.length > MAX_PATH_STEPS) steps.splice(MAX_PATH_STEPS - 4, steps.length - MAX_PATH_STEPS, '…');
    return this.#place + steps.join('') + suffix;
  };

  #reject(suffix: string, expected: string): never {
    throw invalidValue(this.#getPlace(suffix), expected);
  }
}

const shorten = (name: string) => (name.length > MAX_SHOWN_NAME ? `${name.slice(0, MAX_SHOWN_NAME)}…` : name);

function countSimilar(names: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const name of names) {
    const ruleName = name.replace(/[^a-zA-Z0-9-]+/g, '-');
    counts.set(ruleName, (counts.get(ruleName) ?? 0) + 1);
  }
  return Math.max(...counts.values());
}

/** As llama-server resolves a pointer: without escapes. */
function resolveReference(root: unknown, reference: string): unknown {
  const [, ...steps] = reference.slice(1).split('/');
  let target: unknown = root;
  for (const step of steps) {
    if (Array.isArray(target)) target = target[Number(step)];
    else target = isJsonObject(target) && Object.hasOwn(target, step) ? target[step] : undefined;
  }
  return target;
}

/** With more digits, an integer that has a limit on one side only makes llama-server generate an endless grammar. */
const MAX_ONE_SIDED = 1e15;
const MAX_INTEGER = 2 ** 63;
const MAX_LENGTH = 2 ** 31 - 1;

type GetPlace = (suffix: string) => string;

/** Rejects ranges that are empty, or exceed llama-server's arithmetic. */
function validateRanges(schema: JsonObject, getPlace: GetPlace): void {
  validateLengths(schema, 'minLength', 'maxLength', getPlace);
  validateLengths(schema, 'minItems', 'maxItems', getPlace);
  const { type } = schema;
  if (type === 'integer' || (Array.isArray(type) && type.includes('integer')))
    validateIntegers(schema, getPlace);
}

function validateLengths(schema: JsonObject, minName: string, maxName: string, getPlace: GetPlace): void {
  const min = schema[minName];
  const max = schema[maxName];
  if (min === undefined && max === undefined) return;
  for (const name of [minName, maxName]) {
    const value = schema[name];
    if (typeof value === 'number' && !(Number.isInteger(value) && value >= 0 && value <= MAX_LENGTH))
      throw invalidValue(getPlace(`.${name}`), `an integer from 0 to ${MAX_LENGTH}`, value);
  }
  if (typeof min !== 'number') return;
  if (min >= MAX_REPETITIONS)
    throw invalidValue(getPlace(`.${minName}`), `a number below ${MAX_REPETITIONS}`, min);
  if (typeof max === 'number' && min > max)
    throw invalidValue(getPlace(`.${minName}`), `a number not above '${maxName}' (${max})`, min);
}

function validateIntegers(schema: JsonObject, getPlace: GetPlace): void {
  const min = readLimit(schema, 'minimum', 'exclusiveMinimum', 1, getPlace);
  const max = readLimit(schema, 'maximum', 'exclusiveMaximum', -1, getPlace);
  if (min !== undefined && max !== undefined && min > max)
    throw invalidValue(getPlace('.minimum'), `a number not above 'maximum' (${max})`, min);
  if (min !== undefined && max === undefined && min >= MAX_ONE_SIDED)
    throw invalidValue(getPlace('.minimum'), "a number below 1e15, or a 'maximum' in addition");
  if (max !== undefined && min === undefined && max <= -MAX_ONE_SIDED)
    throw invalidValue(getPlace('.maximum'), "a number above -1e15, or a 'minimum' in addition");
}

/** As llama-server reads it: the inclusive limit wins over the exclusive one. */
function readLimit(
  schema: JsonObject,
  inclusive: string,
  exclusive: string,
  step: number,
  getPlace: GetPlace,
): number | undefined {
  for (const name of [inclusive, exclusive]) {
    const value = schema[name];
    if (typeof value === 'number' && Math.abs(value) >= MAX_INTEGER)
      throw invalidValue(getPlace(`.${name}`), `a number that fits into 64 bits`, value);
  }
  const [included, excluded] = [schema[inclusive], schema[exclusive]];
  if (typeof included === 'number') return Math.trunc(included);
  return typeof excluded === 'number' ? Math.trunc(excluded) + step : undefined;
}
