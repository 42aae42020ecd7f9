import { z } from 'zod';
import { components } from './shapes/component.ts';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/**
 * The JSON schemas of all components, in the forms that generators of clients know best. Unknown fields are allowed: the
 * tests are strict, but another llama-server may send more.
 */
export function componentSchemas(): Record<string, object> {
  const { schemas } = z.toJSONSchema(components, {
    unrepresentable: 'any',
    uri: (name) => `#/components/schemas/${name}`,
    override: ({ zodSchema, jsonSchema }) => {
      simplify(jsonSchema);
      if (zodSchema instanceof z.ZodDiscriminatedUnion) addDiscriminator(zodSchema, jsonSchema);
    },
  });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $schema: _, $id: __, ...schema }]) => [name, schema]),
  );
}

function simplify(schema: JsonSchema): void {
  mergeNull(schema);
  if (schema.additionalProperties === false) delete schema.additionalProperties;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  // zod's expressions for dates; generators for Python fail on them.
  if (schema.format !== undefined) delete schema.pattern;
  // The keys of all JSON objects are strings.
  delete schema.propertyNames;
  if (schema.prefixItems?.length === 0 || isNever(schema.items)) {
    delete schema.prefixItems;
    Object.assign(schema, { maxItems: 0, items: {} });
  }
  if (schema.const !== undefined) {
    schema.enum = [schema.const];
    if (Number.isInteger(schema.const)) schema.type = 'integer';
    delete schema.const;
  }
}

const isNever = (items: JsonSchema['items']) =>
  items === false || (typeof items === 'object' && !Array.isArray(items) && 'not' in items);

/** `X or null` as a type of two, where X has one type. */
function mergeNull(schema: JsonSchema): void {
  const [one, other, ...more] = schema.anyOf ?? [];
  if (typeof one !== 'object' || typeof one.type !== 'string') return;
  if (typeof other !== 'object' || other.type !== 'null' || more.length > 0) return;
  delete schema.anyOf;
  Object.assign(schema, one, { type: [one.type, 'null'] }, one.enum && { enum: [...one.enum, null] });
}

/** Says which field tells the variants apart, and which value means which. */
function addDiscriminator(union: z.ZodDiscriminatedUnion, schema: JsonSchema): void {
  const propertyName = union.def.discriminator;
  const mapping = union.options.flatMap((variant) => {
    const name = components.get(variant as z.ZodObject)?.id;
    const field = (variant as z.ZodObject).shape[propertyName];
    if (name === undefined || !(field instanceof z.ZodLiteral)) throw new Error('a variant has no name');
    return [...field.values].map((value) => [value, `#/components/schemas/${name}`]);
  });
  schema.discriminator = { propertyName, mapping: Object.fromEntries(mapping) };
}
