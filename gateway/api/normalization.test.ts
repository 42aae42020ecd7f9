import { expect, it } from 'vitest';
import { printableMediaType, printableType } from './normalization.ts';

it.each([
  'web_search_call',
  'mcp_list_tools',
  'item_reference',
  'container_upload',
  'code_execution_tool_result',
  'input_audio',
])('an error names the type %s', (type) => {
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
])('an error does not repeat %j', (type) => {
  expect(printableType(type)).toBe('');
});

it('an error names only well-formed media types', () => {
  expect(['application/pdf', 'my pin', 'text/my pin', 7].map(printableMediaType)).toEqual([
    ' (application/pdf)',
    '',
    '',
    '',
  ]);
});
