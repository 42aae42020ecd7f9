import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Api, normalizeRequest } from '../../gateway/api/request/normalize-request.ts';
import { ApiError } from '../../gateway/errors/api-error.ts';
import { projectFolder } from '../project-folders.ts';
import { chatTable, completionTable } from './chat-table.ts';
import { compatibilityPage } from './compatibility-page.ts';
import { messagesTable } from './messages-table.ts';
import { responsesTable } from './responses-table.ts';
import type { Row, Support, Table } from './row.ts';

it('docs/compatibility.md matches the tables (else run `npm run docs`)', () => {
  expect(readFileSync(join(projectFolder, 'docs/compatibility.md'), 'utf8')).toBe(compatibilityPage());
});

const user = { role: 'user', content: 'hi' };
const apis: [Api, Table, base: object][] = [
  ['chat', chatTable, { messages: [user] }],
  ['completion', completionTable, { prompt: 'hi' }],
  ['responses', responsesTable, { input: 'hi' }],
  ['messages', messagesTable, { messages: [user], max_tokens: 9 }],
];

/** How the gateway handles a request. */
function getSupport(api: Api, fields: object): Exclude<Support, 'ignored'> {
  const body = Buffer.from(JSON.stringify(fields));
  try {
    const normalized = normalizeRequest(api, JSON.parse(body.toString()), body);
    if ('x-corral-dropped-tools' in normalized.headers) return 'dropped';
    return normalized.body === body ? 'supported' : 'converted';
  } catch (error) {
    if (error instanceof ApiError && error.status === 400) return 'rejected';
    throw error;
  }
}

describe.each(apis)('%s', (api, { rows }, base) => {
  it.each(rows.map((row): [string, Row] => [`${row.names.join(', ')}: ${row.support}`, row]))(
    '%s',
    (_, { support, examples }) => {
      expect(examples).not.toEqual([]);
      // llama-server gets ignored fields unchanged.
      const expected = support === 'ignored' ? 'supported' : support;
      expect(examples.map((example) => getSupport(api, { ...base, ...example }))).toEqual(
        examples.map(() => expected),
      );
    },
  );
});

/** The fields of a request in the SDKs of the APIs. */
const fieldsIn = (file: string, name: string): string[] => {
  const text = readFileSync(join(projectFolder, 'node_modules', file), 'utf8');
  const shape = new RegExp(`^export interface ${name} \\{\\n(.*?)^\\}`, 'ms').exec(text)?.[1] ?? '';
  return [...shape.matchAll(/^ {4}(\w+)\??:/gm)].map(([, field]) => field ?? '');
};

it.each([
  ['openai/resources/chat/completions/completions.d.ts', 'ChatCompletionCreateParamsBase', chatTable],
  ['openai/resources/completions.d.ts', 'CompletionCreateParamsBase', completionTable],
  ['openai/resources/responses/responses.d.ts', 'ResponseCreateParamsBase', responsesTable],
  ['@anthropic-ai/sdk/resources/messages/messages.d.ts', 'MessageCreateParamsBase', messagesTable],
  ['@anthropic-ai/sdk/resources/beta/messages/messages.d.ts', 'MessageCreateParamsBase', messagesTable],
])('every field of %s, %s, is in its table', (file, name, { rows }) => {
  const fields = fieldsIn(file, name);
  expect(fields.length).toBeGreaterThan(10);
  const known = new Set(rows.flatMap(({ names }) => names));
  expect(fields.filter((field) => !known.has(field))).toEqual([]);
});

it('every item of a Responses request is in its table', () => {
  const text = readFileSync(
    join(projectFolder, 'node_modules/openai/resources/responses/responses.d.ts'),
    'utf8',
  );
  const items = /^export declare namespace ResponseInputItem \{\n(.*?)^\}/ms.exec(text)?.[1] ?? '';
  const types = [...items.matchAll(/^ {8}type\??: '(\w+)'/gm)].map(([, type]) => type ?? '');
  expect(types.length).toBeGreaterThan(10);
  const known = new Set(responsesTable.rows.flatMap(({ names }) => names));
  expect(types.filter((type) => !known.has(type))).toEqual([]);
});
