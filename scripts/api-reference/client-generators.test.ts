import { expect, it } from 'vitest';
import { apiDocumentText, operations } from './api-document.ts';

/**
 * What openapi-generator makes of the document was tried; `npm run generated-clients` tries it again. These are the causes of its
 * faults.
 */
const document = JSON.parse(apiDocumentText());
const schemas: Record<string, object> = document.components.schemas;

interface Node {
  readonly at: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** All objects of a JSON value, with their places. */
function nodesOf(value: unknown, at: string): Node[] {
  if (typeof value !== 'object' || value === null) return [];
  const inside = Object.entries(value).flatMap(([name, it]) => nodesOf(it, `${at}/${name}`));
  return Array.isArray(value) ? inside : [{ at, value: value as Node['value'] }, ...inside];
}

const nodes = Object.entries(schemas).flatMap(([name, schema]) => nodesOf(schema, name));

it('a union is a component of its own, so that generated clients have a type for it', () => {
  const isUnion = ({ value }: Node) =>
    [value.anyOf, value.oneOf].some((variants) => Array.isArray(variants) && !isOneOrNull(variants));
  const unions = nodes.filter(isUnion).map(({ at }) => at);
  expect(unions.length).toBeGreaterThan(10);
  expect(unions.filter((at) => at.includes('/'))).toEqual([]);
});

const isOneOrNull = (variants: readonly { type?: string }[]) =>
  variants.length === 2 && variants.some(({ type }) => type === 'null');

it('variants that a field tells apart have a discriminator with all of them', () => {
  const unions = nodes.filter(({ value }) => Array.isArray(value.oneOf));
  expect(unions.length).toBeGreaterThan(8);
  for (const { at, value } of unions) {
    const { mapping } = value.discriminator as { mapping: object };
    const refs = (value.oneOf as { $ref: string }[]).map(({ $ref }) => $ref);
    expect([at, Object.values(mapping).toSorted()]).toEqual([at, refs.toSorted()]);
  }
});

it('has no keyword that generators do not know', () => {
  const isForeign = ({ value }: Node) =>
    ['const', 'propertyNames', 'prefixItems', 'not', '$defs'].some((word) => value[word] !== undefined) ||
    (typeof value.format === 'string' && value.pattern !== undefined);
  expect(nodes.filter(isForeign).map(({ at }) => at)).toEqual([]);
});

it('every operation has a name that no component gets in the way of', () => {
  const ids = operations.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => !/^[a-z][A-Za-z]+$/.test(id))).toEqual([]);
  // The TypeScript client has an object of the parameters of each operation, with this name.
  const taken = ids.map((id) => `${id.charAt(0).toUpperCase()}${id.slice(1)}Request`);
  expect(taken.filter((name) => Object.hasOwn(schemas, name))).toEqual([]);
});
