/** A JSON schema, as far as the document of the API uses it. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly description?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

export const schemasPath = 'api-reference/schemas.md';

/** A link to the description of a schema of the document. */
export function schemaLink(ref: string): string {
  const name = ref.split('/').at(-1) ?? '';
  return `[${name}](/${schemasPath}#${name.toLowerCase()})`;
}

/** The type of a value in words, as Markdown. */
export function typeText(schema: Schema): string {
  if (schema.$ref !== undefined) return schemaLink(schema.$ref);
  const values = schema.enum ?? ('const' in schema ? [schema.const] : undefined);
  if (values !== undefined) return values.map((value) => code(JSON.stringify(value))).join(' or ');
  const variants = variantsOf(schema);
  if (variants !== undefined) return [...new Set(variants.map(typeText))].join(' or ');
  const types = [schema.type ?? 'any'].flat();
  return types.map((type) => ofType(type, schema)).join(' or ');
}

function ofType(type: string, schema: Schema): string {
  if (type === 'array') return schema.items === undefined ? 'array' : `array of ${typeText(schema.items)}`;
  const { additionalProperties: values } = schema;
  if (type === 'object' && isSchema(values) && Object.keys(values).length > 0)
    return `object of ${typeText(values)}`;
  const { minimum, maximum } = schema;
  const limits = [
    ...(minimum === undefined || type === 'string' ? [] : [`≥ ${minimum}`]),
    ...(maximum === undefined || type === 'string' ? [] : [`≤ ${maximum}`]),
  ];
  return type === 'integer' || type === 'number' ? [type, ...limits].join(' ') : type;
}

/** A table of the fields of an object, those of the objects in it included; undefined if it has none. */
export function fieldTable(schema: Schema): string | undefined {
  const rows = rowsOf(schema, '');
  if (rows.length === 0) return undefined;
  return ['| field | type | |', '|---|---|---|', ...rows].join('\n');
}

function rowsOf(schema: Schema, prefix: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const isRequired = schema.required?.includes(name) ?? false;
    const notes = [isRequired ? 'Required.' : '', field.description ?? ''].filter((note) => note !== '');
    const path = `${prefix}${name}`;
    const row = `| ${code(path)} | ${typeText(field)} | ${cell(notes.join(' '))} |`;
    return [row, ...nestedRows(field, path)];
  });
}

function nestedRows(field: Schema, path: string): string[] {
  if (field.items !== undefined) return nestedRows(field.items, `${path}[]`);
  if (field.properties !== undefined) return rowsOf(field, `${path}.`);
  return (variantsOf(field) ?? []).flatMap((variant) => nestedRows(variant, path));
}

/** The schemas of which a value has one. */
export const variantsOf = ({ anyOf, oneOf }: Schema): readonly Schema[] | undefined => anyOf ?? oneOf;

const isSchema = (value: boolean | Schema | undefined): value is Schema => typeof value === 'object';

const code = (text: string) => `\`${text.replaceAll('|', '\\|')}\``;
const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
