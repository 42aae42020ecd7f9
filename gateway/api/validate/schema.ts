import { invalidValue } from '../../errors/catalogue.ts';
import { asList, isJsonObject, type JsonObject } from './objects.ts';
import { validatePattern } from './pattern.ts';
import { validateRanges } from './schema-ranges.ts';

/** Objects with this many optional properties take the engine a second: its work grows with the cube of their number. */
const MOST_OPTIONAL = 600;
const MOST_OPTIONAL_CUBED = 2 * MOST_OPTIONAL ** 3;
const MOST_PROPERTIES = 5000;
/** Their names make rules of grammar, in which every character but letters and digits is the same. */
const MOST_ALIKE = 300;
const LONGEST_NAME = 1000;
/** Of an `enum`, or of `oneOf` and its kind: each is tried at every token. */
const MOST_ALTERNATIVES = 3000;
/** Each reference costs the engine a copy of the whole schema. */
const MOST_COPIED = 5_000_000;
const LONGEST_CHAIN = 100;
/** Of the steps to a place, in an error. */
const MOST_SHOWN = 12;

/** What is not a schema but a value; a member of `properties` may be called so, and is a schema. */
const valued = new Set(['const', 'default', 'enum', 'examples']);
/** Whose members are schemas under names of the client's own. */
const maps = new Set(['properties', '$defs', 'definitions', 'patternProperties', 'dependentSchemas']);

/** Keywords that are looked at. */
const bounding = new Set([
  ...['pattern', 'properties', '$ref', 'enum', 'oneOf', 'anyOf', 'allOf', 'prefixItems', 'items'],
  ...['minLength', 'maxLength', 'minItems', 'maxItems'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
]);

function isBounding(schema: JsonObject): boolean {
  for (const name in schema) if (bounding.has(name)) return true;
  return Array.isArray(schema.type);
}

/** One schema of a request, gone through as a whole: what it costs the engine is the sum of what its parts do. */
export class SchemaValidator {
  readonly #root: unknown;
  readonly #place: string;
  readonly #references = new Set<string>();
  /** Where the walk is. */
  readonly #path: (string | number)[] = [];
  #values = 0;
  #optionalCubed = 0;
  #properties = 0;

  constructor(root: unknown, place: string) {
    this.#root = root;
    this.#place = place;
  }

  validate(): void {
    this.#look(this.#root, false);
    if (this.#references.size * this.#values > MOST_COPIED)
      throw invalidValue(this.#place, 'a smaller schema, or one with fewer $ref in it');
  }

  /** Everything that is an object or a list, as any keyword may hold a schema. */
  #look(value: unknown, isMap: boolean): void {
    this.#values += 1;
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) this.#lookInto(index, value[index], false);
    } else if (isJsonObject(value)) {
      if (!isMap && isBounding(value)) this.#lookAtSchema(value);
      for (const name in value) {
        const inner = value[name];
        if (typeof inner !== 'object') this.#values += 1;
        else if (isMap || !valued.has(name)) this.#lookInto(name, inner, !isMap && maps.has(name));
      }
    }
  }

  #lookInto(step: string | number, value: unknown, isMap: boolean): void {
    this.#path.push(step);
    this.#look(value, isMap);
    this.#path.pop();
  }

  #lookAtSchema(schema: JsonObject): void {
    validateRanges(schema, this.#at);
    const { pattern, type, properties, $ref: reference } = schema;
    if (typeof pattern === 'string') validatePattern(pattern, () => this.#at('.pattern'));
    if (Array.isArray(type) && new Set(type).size < type.length) this.#refuse('.type', 'each type once');
    for (const name of ['enum', 'oneOf', 'anyOf', 'allOf', 'prefixItems', 'items'] as const) {
      const list = schema[name];
      if (Array.isArray(list) && list.length > MOST_ALTERNATIVES)
        this.#refuse(`.${name}`, `a list of ${MOST_ALTERNATIVES} at most`);
    }
    if (isJsonObject(properties)) this.#count(properties, schema);
    if (typeof reference === 'string') this.#follow(reference);
  }

  #count(properties: JsonObject, { required, additionalProperties }: JsonObject): void {
    const names = Object.keys(properties);
    const needed = new Set(asList(required));
    const optional = names.filter((name) => !needed.has(name)).length + (additionalProperties ? 1 : 0);
    this.#properties += names.length;
    this.#optionalCubed += optional ** 3;
    if (this.#properties > MOST_PROPERTIES)
      throw invalidValue(this.#place, `a schema of ${MOST_PROPERTIES} properties at most`);
    if (this.#optionalCubed > MOST_OPTIONAL_CUBED || optional > MOST_OPTIONAL)
      this.#refuse(
        '.properties',
        `${MOST_OPTIONAL} optional properties at most; name the others in 'required', or divide the object`,
      );
    if (names.some((name) => name.length > LONGEST_NAME))
      this.#refuse('.properties', `names of ${LONGEST_NAME} characters at most`);
    if (names.length > MOST_ALIKE && mostAlike(names) > MOST_ALIKE)
      this.#refuse(
        '.properties',
        `${MOST_ALIKE} names at most that differ only in other characters than the letters a to z and digits`,
      );
  }

  /** A reference to nothing but a reference leads on, and must come to an end. */
  #follow(reference: string): void {
    if (this.#references.has(reference)) return;
    this.#references.add(reference);
    if (!reference.startsWith('#'))
      this.#refuse('.$ref', 'a reference within the schema (#/$defs/…): others are not fetched');
    let next: string | undefined = reference;
    for (let steps = 0; next !== undefined; steps++) {
      if (steps > LONGEST_CHAIN)
        this.#refuse('.$ref', 'a reference that leads to a schema, and not back to itself');
      const target: unknown = targetOf(this.#root, next);
      // It leads where no schema would be looked for.
      if (next.split('/').some((step) => valued.has(step))) this.#look(target, false);
      const further: unknown = isJsonObject(target) ? target.$ref : undefined;
      next = typeof further === 'string' ? further : undefined;
    }
  }

  readonly #at = (suffix: string): string => {
    const steps = this.#path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${shown(step)}`));
    if (steps.length > MOST_SHOWN) steps.splice(MOST_SHOWN - 4, steps.length - MOST_SHOWN, '…');
    return this.#place + steps.join('') + suffix;
  };

  #refuse(suffix: string, expected: string): never {
    throw invalidValue(this.#at(suffix), expected);
  }
}

/** A name of the client's own, as far as one line of an error shows it. */
const shown = (name: string) => (name.length > 60 ? `${name.slice(0, 60)}…` : name);

function mostAlike(names: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const name of names) {
    const asRule = name.replace(/[^a-zA-Z0-9-]+/g, '-');
    counts.set(asRule, (counts.get(asRule) ?? 0) + 1);
  }
  return Math.max(...counts.values());
}

/** As the engine follows a pointer: without escapes. */
function targetOf(root: unknown, reference: string): unknown {
  const [, ...steps] = reference.slice(1).split('/');
  let target: unknown = root;
  for (const step of steps) {
    if (Array.isArray(target)) target = target[Number(step)];
    else target = isJsonObject(target) && Object.hasOwn(target, step) ? target[step] : undefined;
  }
  return target;
}
