import { expect, it } from 'vitest';
import { shownMediaType, shownType } from './shown-type.ts';

it.each([
  'web_search_call',
  'mcp_list_tools',
  'item_reference',
  'container_upload',
  'code_execution_tool_result',
  'input_audio',
])('%s is named', (type) => {
  expect(shownType(type)).toBe(` (${type})`);
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
  expect(shownType(type)).toBe('');
});

it('of media types those that are some are named', () => {
  expect(['application/pdf', 'my pin', 'text/my pin', 7].map(shownMediaType)).toEqual([
    ' (application/pdf)',
    '',
    '',
    '',
  ]);
});
