import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Api, normalizeRequest } from '../../gateway/api/normalize-request.ts';
import { ApiError } from '../../gateway/errors/api-error.ts';
import { projectFolder } from '../project-folders.ts';
import { chatTable, completionTable } from './chat-table.ts';
import { compatibilityPage } from './compatibility-page.ts';
import { messagesTable } from './messages-table.ts';
import { responsesTable } from './responses-table.ts';
import type { Row, Support, Table } from './row.ts';

it('docs/compatibility.md is what the tables say: run `npm run docs`', () => {
  expect(readFileSync(join(projectFolder, 'docs/compatibility.md'), 'utf8')).toBe(compatibilityPage());
});

const user = { role: 'user', content: 'hi' };
const apis: [Api, Table, base: object][] = [
  ['chat', chatTable, { messages: [user] }],
  ['completion', completionTable, { prompt: 'hi' }],
  ['responses', responsesTable, { input: 'hi' }],
  ['messages', messagesTable, { messages: [user], max_tokens: 9 }],
];

/** What really becomes of it. */
function fateOf(api: Api, fields: object): Exclude<Support, 'no effect'> {
  const body = Buffer.from(JSON.stringify(fields));
  try {
    const normalized = normalizeRequest(api, JSON.parse(body.toString()), body);
    if ('x-corral-dropped-tools' in normalized.headers) return 'told';
    return normalized.body === body ? 'carried' : 'bridged';
  } catch (error) {
    if (error instanceof ApiError && error.status === 400) return 'refused';
    throw error;
  }
}

describe.each(apis)('%s', (api, { rows }, base) => {
  it.each(rows.map((row): [string, Row] => [`${row.names.join(', ')}: ${row.fate}`, row]))(
    '%s',
    (_, { fate, examples }) => {
      expect(examples).not.toEqual([]);
      // What has no effect goes to llama-server as it came, which passes over it.
      const expected = fate === 'no effect' ? 'carried' : fate;
      expect(examples.map((example) => fateOf(api, { ...base, ...example }))).toEqual(
        examples.map(() => expected),
      );
    },
  );
});

/** The fields of a request as the SDKs of the APIs have them. */
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
])('every field of %s, %s, stands in its table', (file, name, { rows }) => {
  const fields = fieldsIn(file, name);
  expect(fields.length).toBeGreaterThan(10);
  const known = new Set(rows.flatMap(({ names }) => names));
  expect(fields.filter((field) => !known.has(field))).toEqual([]);
});

it('every item of a Responses request stands in its table', () => {
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
