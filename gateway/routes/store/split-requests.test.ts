import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestSplitter } from './split-requests.ts';

/** The requests that the splitter finds in a text that arrives in pieces of so many bytes. */
function split(text: string, pieceSize: number, maxBytes = 1000): string[] {
  const splitter = new RequestSplitter(maxBytes);
  const bytes = Buffer.from(text);
  const found: string[] = [];
  for (let at = 0; at < bytes.length; at += pieceSize)
    for (const request of splitter.push(bytes.subarray(at, at + pieceSize))) found.push(request.toString());
  splitter.end();
  return found;
}

const requests = [
  { custom_id: 'a', params: { messages: [{ role: 'user', content: 'quotes " and \\ and ]}, and \\"' }] } },
  { custom_id: 'b', params: { system: 'ümlaut 🚲', stop: ['}', '{'], temperature: 1.0 } },
  {},
  'no object',
  [1, [2]],
  -12.5e3,
  null,
];

describe.each([1, 2, 3, 7, 64, 10_000])('in pieces of %d bytes', (pieceSize) => {
  it.each([
    ['compact', JSON.stringify({ requests })],
    ['indented', JSON.stringify({ requests }, undefined, 2)],
    ['between other members', JSON.stringify({ a: { requests: [1] }, b: 'x"', requests, c: [1], d: 12 })],
    ['with an escaped name', JSON.stringify({ requests }).replace('requests', '\\u0072equests')],
  ])('finds the requests of a body that is %s', (_, text) => {
    expect(split(text, pieceSize).map((found) => JSON.parse(found))).toEqual(requests);
  });

  it('finds none in an empty list', () => expect(split('{ "requests" : [ ] }', pieceSize)).toEqual([]));

  it('keeps the text of a request as it is', () => {
    const text = '{ "custom_id":"a", "params":{"seed":12345678901234567890, "top_p":1.0} }';
    expect(split(`{"requests":[${text}]}`, pieceSize)).toEqual([text]);
  });

  it('allows a hundred members, and no more', () => {
    const members = (count: number) => `{${'"a":1,'.repeat(count - 1)}"requests":[]}`;
    expect(split(members(100), pieceSize)).toEqual([]);
    expect(() => split(members(101), pieceSize)).toThrow('it has more than 100 members');
  });

  it.each([
    '',
    '{',
    '[]',
    '{}',
    '{"requests":[{}]',
    '{"requests":[{} {}]}',
    '{"requests":[{},]}',
    '{"requests":[,{}]}',
    '{"requests":{}}',
    '{"requests":[]}{}',
    '{"requests":[],"requests":[]}',
    '{"requests":[],}',
    '{"requests"[]}',
    '{requests:[]}',
    '{"other":nonsense,"requests":[]}',
    '{"requests":[{"a":"b]}',
    'null',
  ])('rejects %j', (text) => {
    expect(() => split(text, pieceSize)).toThrow(/not valid JSON|Invalid 'requests'/);
  });

  it('rejects a request that is too large, and names it', () => {
    const text = JSON.stringify({ requests: [{}, 'x'.repeat(100)] });
    expect(() => split(text, pieceSize, 99)).toThrow("Invalid 'requests[1]': expected at most 99 bytes");
  });
});

it('whatever the splitter accepts is what a JSON parser finds, and it rejects everything else', () => {
  const valid = JSON.stringify({ a: [1, '"]'], requests: [{ b: '\\"}' }, 'x', [2], null], c: {} });
  const change = fc.record({
    at: fc.nat(valid.length),
    removed: fc.nat(5),
    added: fc.constantFrom('', ',', '"', '\\', '{', '}', '[', ']', ':', ' ', '1', 'requests'),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 3 }), fc.integer({ min: 1, max: 50 }), (changes, size) => {
      const text = changes.reduce(
        (now, { at, removed, added }) => now.slice(0, at) + added + now.slice(at + removed),
        valid,
      );
      const parsed = attempt(() => (JSON.parse(text) as { requests?: unknown }).requests);
      const found = attempt(() => split(text, size).map((request) => JSON.parse(request) as unknown));
      if (found !== undefined) expect(found).toEqual(parsed);
      else expect(Array.isArray(parsed) && text.split('requests').length === 2).toBe(false);
    }),
    { numRuns: 3000 },
  );
});

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
