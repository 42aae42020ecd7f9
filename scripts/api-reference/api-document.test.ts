import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { expect, it } from 'vitest';
import { projectFolder } from '../project-folders.ts';
import { apiDocumentText, operations } from './api-document.ts';
import { type ErrorName, errorExamples } from './error-examples.ts';

const kept = join(projectFolder, 'gateway/reference/openapi.json');

it('gateway/reference/openapi.json is up to date (else run `npm run docs`)', () => {
  expect(readFileSync(kept, 'utf8')).toBe(apiDocumentText());
});

it("Redocly's linter reports nothing", async () => {
  const config = await createConfig({ extends: ['recommended-strict'] });
  const problems = await lintFromString({ source: apiDocumentText(), absoluteRef: kept, config });
  expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual(
    [],
  );
});

/** Errors of unknown paths and methods, and of the dashboard's pages: they belong to no operation. */
const elsewhere: readonly ErrorName[] = [
  'webSocketNotSupported',
  'compactionNotSupported',
  'unknownUrl',
  'methodNotAllowed',
  'sessionRequired',
  'crossSiteRequest',
];

it('every error of the catalogue belongs to an operation', () => {
  const named = new Set([...elsewhere, ...operations.flatMap((operation) => operation.errors)]);
  expect(Object.keys(errorExamples).filter((name) => !named.has(name as ErrorName))).toEqual([]);
});
