import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectFolder } from '../project-folders.ts';
import { apiReferencePages } from './api-pages.ts';
import { fieldTable, typeText } from './schema-text.ts';

const document = JSON.parse(readFileSync(join(projectFolder, 'gateway/reference/openapi.json'), 'utf8'));

describe('the API reference of the site', () => {
  const pages = apiReferencePages(document);
  const all = pages.map(({ text }) => text).join('\n');
  const headings = [...all.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);

  it('has every operation and every schema once', () => {
    const operations = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} \`${path}\``),
    );
    const wanted = [...operations, ...Object.keys(document.components.schemas)];
    expect(headings.filter((heading) => wanted.includes(heading ?? '')).toSorted()).toEqual(
      wanted.toSorted(),
    );
  });

  it('links only to its own pages and headings', () => {
    const schemas = new Set(Object.keys(document.components.schemas).map((name) => name.toLowerCase()));
    const paths = new Set(pages.map(({ path }) => `/${path}`));
    const links = [...all.matchAll(/\]\((\/[^)#]+)#?([^)]*)\)/g)];
    expect(links.length).toBeGreaterThan(100);
    expect(
      links.filter(([, path = '', anchor]) => !paths.has(path) || (anchor && !schemas.has(anchor))),
    ).toEqual([]);
  });
});

describe('a schema', () => {
  it.each([
    [{ type: 'integer', minimum: 0 }, 'integer ≥ 0'],
    [{ type: ['string', 'null'] }, 'string or null'],
    [{ enum: ['a', 'b'] }, '`"a"` or `"b"`'],
    [
      { type: 'array', items: { $ref: '#/components/schemas/File' } },
      'array of [File](/api-reference/schemas.md#file)',
    ],
    [
      { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
      'string or array of string',
    ],
    [{ type: 'object', additionalProperties: { type: 'number' } }, 'object of number'],
    [{}, 'any'],
  ])('%j is %s', (schema, text) => {
    expect(typeText(schema)).toBe(text);
  });

  it('lists the fields of the objects in it', () => {
    const inner = { type: 'object', properties: { b: { type: 'string', description: 'one | two' } } };
    const outer = { type: 'object', required: ['a'], properties: { a: { type: 'array', items: inner } } };
    expect(fieldTable(outer)?.split('\n').slice(2)).toEqual([
      '| `a` | array of object | Required. |',
      '| `a[].b` | string | one \\| two |',
    ]);
  });
});
