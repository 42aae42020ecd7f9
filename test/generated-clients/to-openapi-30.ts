type Value = Record<string, unknown>;

/**
 * An OpenAPI 3.1 document as 3.0, for generators that know nothing newer. Unions become `anyOf` without discriminators, because
 * the TypeScript that this version of openapi-generator makes of `oneOf` does not compile; and objects with known fields are
 * not open for others, because it takes open ones for maps.
 */
export function toOpenApi30(document: object): object {
  const converted = structuredClone(document) as Value & { info: { summary?: string; license: Value } };
  converted.openapi = '3.0.3';
  delete converted.info.summary;
  delete converted.info.license.identifier;
  convertAll(converted);
  return converted;
}

function convertAll(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) convert(value as Value);
  for (const inner of Object.values(value)) convertAll(inner);
}

function convert(schema: Value): void {
  if (typeof schema.discriminator === 'object' && Array.isArray(schema.oneOf)) {
    schema.anyOf = schema.oneOf;
    delete schema.oneOf;
    delete schema.discriminator;
  }
  if (typeof schema.properties === 'object' && typeof schema.additionalProperties === 'object')
    delete schema.additionalProperties;
  if (typeof schema.contentEncoding === 'string') delete schema.contentEncoding;
  convertBounds(schema);
  convertNull(schema);
}

function convertNull(schema: Value): void {
  if (Array.isArray(schema.type)) {
    schema.type = schema.type.find((type) => type !== 'null');
    schema.nullable = true;
    if (Array.isArray(schema.enum)) schema.enum = schema.enum.filter((value) => value !== null);
  }
  if (schema.type === 'null') {
    delete schema.type;
    delete schema.enum;
    schema.nullable = true;
  }
  const variants = schema.anyOf;
  if (!Array.isArray(variants)) return;
  const others = variants.filter((variant) => variant.type !== 'null');
  if (others.length === variants.length) return;
  delete schema.anyOf;
  Object.assign(schema, others.length === 1 ? { allOf: others } : { anyOf: others }, { nullable: true });
}

/** In 3.0 these say whether the limit itself is excluded. */
function convertBounds(schema: Value): void {
  for (const bound of ['minimum', 'maximum']) {
    const exclusive = `exclusive${bound.charAt(0).toUpperCase()}${bound.slice(1)}`;
    if (typeof schema[exclusive] !== 'number') continue;
    schema[bound] = schema[exclusive];
    schema[exclusive] = true;
  }
}
