import { expect, it } from 'vitest';
import type { JsonObject } from '../../../json/json-object.ts';
import type { Dialect } from '../route-table.ts';
import { missingDefaults } from './model-defaults.ts';

const defaults = { temperature: 0.2, max_tokens: 5, stop: ['x'] };

it.each<[Dialect, object]>([
  ['openai', defaults],
  ['native', defaults],
  ['responses', { temperature: 0.2, max_output_tokens: 5, stop: ['x'] }],
  ['anthropic', { temperature: 0.2, max_tokens: 5, stop_sequences: ['x'] }],
])('a request without fields gets all defaults, by their names in its API: %s', (dialect, expected) => {
  expect(missingDefaults({}, defaults, dialect)).toEqual(expected);
});

it('a name that only another API has is converted', () => {
  const others = { max_output_tokens: 5, stop_sequences: ['x'] };
  expect(missingDefaults({}, others, 'openai')).toEqual({ max_tokens: 5, stop: ['x'] });
  expect(missingDefaults({}, { n_predict: 5 }, 'anthropic')).toEqual({ max_tokens: 5 });
});

it.each<[given: object, JsonObject]>([
  [{ temperature: 0 }, { temperature: 0.2 }],
  [{ max_tokens: 9 }, { n_predict: 5 }],
  [{ max_output_tokens: 9 }, { max_tokens: 5 }],
  [{ stop_sequences: [] }, { stop: ['x'] }],
  [{ n: 2 }, { n_cmpl: 1 }],
  [{ output_config: { format: {} } }, { grammar: 'root ::= "a"' }],
])('a client that sends %j does not get the default %j', (given, one) => {
  expect(missingDefaults(given as JsonObject, one, 'openai')).toBeUndefined();
});

it('null means that a field is not set', () => {
  expect(missingDefaults({ temperature: null }, { temperature: 0.2 }, 'openai')).toEqual({
    temperature: 0.2,
  });
});
