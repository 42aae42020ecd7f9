import { expect, it } from 'vitest';
import { printableMediaType, printableType } from './normalization-notes.ts';

it.each([
  'web_search_call',
  'mcp_list_tools',
  'item_reference',
  'container_upload',
  'code_execution_tool_result',
  'input_audio',
])('%s is named', (type) => {
  expect(printableType(type)).toBe(` (${type})`);
});

it.each([
  'my pin is 4711',
  'hedgehog-4711',
  'secret',
  'CANARY_call',
  'x'.repeat(50),
  `${'a_'.repeat(30)}call`,
  7,
  null,
  undefined,
  {},
])('%j is not repeated', (type) => {
  expect(printableType(type)).toBe('');
});

it('of media types those that are some are named', () => {
  expect(['application/pdf', 'my pin', 'text/my pin', 7].map(printableMediaType)).toEqual([
    ' (application/pdf)',
    '',
    '',
    '',
  ]);
});
