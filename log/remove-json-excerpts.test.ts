import { expect, it } from 'vitest';
import { removeJsonExcerpts } from './remove-json-excerpts.ts';

function stackOf(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch (error) {
    return (error as Error).stack ?? '';
  }
}

it.each([
  'my pin',
  '{"a": my pin is 4711 and so on and on}',
  '{"a":1} my\npin',
  "'my pin'",
  '{"a":"my \u0001 pin"}',
])('an error about %j quotes nothing of it', (text) => {
  expect(stackOf(text)).toContain('SyntaxError');
  const shown = removeJsonExcerpts(stackOf(text));
  expect(shown).not.toMatch(/\bpin\b|4711/);
  expect(shown).toMatch(/JSON/);
  expect(shown).toContain('remove-json-excerpts.test.ts');
});
