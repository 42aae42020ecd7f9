import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalRequest } from './canonical-request.ts';

const canonical = (value: unknown, model = 'm') =>
  canonicalRequest(typeof value === 'string' ? value : JSON.stringify(value), model);

const name = fc.stringMatching(/^[a-z_]{1,8}$/);
const value = fc.jsonValue({ maxDepth: 3 });
/** `jsonValue` has numeric names, whose order a parser loses. */
const named = value.filter((it) => !/"\d+":/.test(JSON.stringify(it)));
const message = fc.record({
  role: fc.constantFrom('system', 'user', 'assistant'),
  content: fc.oneof(fc.string(), fc.array(fc.record({ type: fc.constant('text'), text: fc.string() }))),
});
const request = fc.record({
  model: fc.string(),
  messages: fc.array(message, { maxLength: 4 }),
  temperature: fc.constant(0),
  rest: fc.dictionary(name, named, { maxKeys: 4 }),
});

/** The same members in the opposite order. */
const reversed = <T extends object>(object: T) => Object.fromEntries(Object.entries(object).reverse()) as T;

describe('canonicalRequest', () => {
  it('is the same for any order of the members of a request, its messages and their parts', () => {
    fc.assert(
      fc.property(request, ({ rest, ...fields }) => {
        const body = { ...fields, ...rest };
        const part = (it: unknown) => (typeof it === 'object' && it !== null ? reversed(it) : it);
        const messages = body.messages.map((each) =>
          reversed({
            ...each,
            content: Array.isArray(each.content) ? each.content.map(part) : each.content,
          }),
        );
        const shuffled = reversed({ ...body, messages });
        expect(canonical(JSON.stringify(shuffled, null, 2))).toBe(canonical(body));
      }),
    );
  });

  it('differs as soon as any field does', () => {
    fc.assert(
      fc.property(request, name, named, named, ({ rest, ...fields }, changed, a, b) => {
        fc.pre(changed !== 'model' && JSON.stringify(a) !== JSON.stringify(b));
        const body = { ...fields, ...rest };
        expect(canonical({ ...body, [changed]: a })).not.toBe(canonical({ ...body, [changed]: b }));
        const { [changed]: _, ...without } = { ...body, [changed]: a } as Record<string, unknown>;
        expect(canonical({ ...without, [changed]: a })).not.toBe(canonical(without));
      }),
    );
  });

  it('is unambiguous: no two different sets of fields have one text', () => {
    fc.assert(
      fc.property(request, request, ({ rest: a, ...one }, { rest: b, ...other }) => {
        const [first, second] = [
          { ...one, ...a, model: '' },
          { ...other, ...b, model: '' },
        ];
        const same = JSON.stringify(sortedDeeply(first)) === JSON.stringify(sortedDeeply(second));
        if (!same) expect(canonical(first)).not.toBe(canonical(second));
      }),
    );
  });

  it.each([
    ['another message', { messages: [{ role: 'user', content: 'b' }] }],
    ['another role', { messages: [{ role: 'system', content: 'a' }] }],
    [
      'one message more',
      {
        messages: [
          { role: 'user', content: 'a' },
          { role: 'user', content: 'a' },
        ],
      },
    ],
    ['parts instead of a text', { messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }] }] }],
    ['a name', { messages: [{ role: 'user', content: 'a', name: 'x' }] }],
    ['a limit', { max_tokens: 5 }],
    ['a stop', { stop: ['x'] }],
    ['a stream', { stream: true }],
    ['usage in a stream', { stream: true, stream_options: { include_usage: true } }],
    ['a user', { user: 'u' }],
    ['null instead of nothing', { stop: null }],
    ['a format', { response_format: { type: 'json_object' } }],
    ['a seed', { seed: 1 }],
    ['a field that nobody knows', { x_new: 1 }],
  ])('%s makes it another request', (_, changed) => {
    const plain = { messages: [{ role: 'user', content: 'a' }], temperature: 0 };
    expect(canonical({ ...plain, ...changed })).not.toBe(canonical(plain));
  });

  it('keeps the order where the engine sees it: a schema is generated in the order of its properties', () => {
    const schema = (properties: object) => ({ response_format: { json_schema: { schema: { properties } } } });
    expect(canonical(schema({ a: {}, b: {} }))).not.toBe(canonical(schema({ b: {}, a: {} })));
    expect(canonical({ chat_template_kwargs: { a: 1, b: 2 } })).not.toBe(
      canonical({ chat_template_kwargs: { b: 2, a: 1 } }),
    );
    expect(canonical({ stop: ['a', 'b'] })).not.toBe(canonical({ stop: ['b', 'a'] }));
  });

  it('has none where a parser has lost the order', () => {
    expect(canonical({ json_schema: { properties: { 10: {}, 9: {} } } })).toBeUndefined();
    expect(canonical({ logit_bias: { 15: -100, 7: 5 } })).toBe(canonical('{"logit_bias":{"15":-100,"7":5}}'));
  });

  it('keeps numbers that JavaScript would round', () => {
    expect(canonical('{"json_schema":{"const":9007199254740993}}')).not.toBe(
      canonical('{"json_schema":{"const":9007199254740992}}'),
    );
    expect(canonical('{"logit_bias":{"1":9007199254740993}}')).not.toBe(
      canonical('{"logit_bias":{"1":9007199254740992}}'),
    );
  });

  it('takes the last of two members with one name, as the engine does', () => {
    expect(canonical('{"seed":1,"seed":2}')).toBe(canonical('{"seed":2}'));
  });

  it('does not lose a member of any name', () => {
    expect(canonical('{"__proto__":1}')).not.toBe(canonical('{}'));
    expect(canonical('{"x":{"__proto__":{"a":1}}}')).not.toBe(canonical('{"x":{}}'));
    expect(canonical('{"messages":[{"__proto__":1}]}')).not.toBe(canonical('{"messages":[{}]}'));
  });

  it('has the model that answers in place of the name that the client gave', () => {
    expect(canonical({ model: 'alias', seed: 1 })).toBe(canonical({ model: 'other', seed: 1 }));
    expect(canonical({ seed: 1 }, 'a')).not.toBe(canonical({ seed: 1 }, 'b'));
  });
});

function sortedDeeply(it: unknown): unknown {
  if (Array.isArray(it)) return it.map(sortedDeeply);
  if (typeof it !== 'object' || it === null) return it;
  return Object.fromEntries(
    Object.entries(it)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sortedDeeply(member)]),
  );
}
