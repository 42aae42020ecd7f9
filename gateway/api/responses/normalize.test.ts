import { describe, expect, it } from 'vitest';
import { toResponseFormat } from './normalize.ts';

const schema = { type: 'object' };

describe('toResponseFormat', () => {
  it('converts a schema, or any object, to the form of chat completions', () => {
    const format = { type: 'json_schema', name: 'horse', strict: true, schema };
    expect(toResponseFormat({ text: { format } })).toEqual({
      type: 'json_schema',
      json_schema: { name: 'horse', strict: true, schema },
    });
    expect(toResponseFormat({ text: { format: { type: 'json_object' } } })).toEqual({ type: 'json_object' });
  });

  it.each([
    {},
    { text: null },
    { text: 'x' },
    { text: { verbosity: 'low' } },
    { text: { format: null } },
    { text: { format: 'json_object' } },
    { text: { format: { type: 'text' } } },
    { text: { format: { type: 'json_object' } }, response_format: { type: 'text' } },
  ])('has no format for %j', (request) => expect(toResponseFormat(request)).toBeUndefined());
});
