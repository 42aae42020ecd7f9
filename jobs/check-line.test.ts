import { describe, expect, it } from 'vitest';
import { checkLine } from './check-line.ts';

const endpoint = '/v1/chat/completions';
const body = { model: 'demo', messages: [{ role: 'user', content: 'hi' }] };
const good = { custom_id: 'a', method: 'POST', url: endpoint, body };
const check = (line: unknown) => checkLine(toBytes(line), endpoint);

function toBytes(line: unknown): Buffer {
  if (line instanceof Buffer) return line;
  return Buffer.from(typeof line === 'string' ? line : JSON.stringify(line));
}

const withMessages = (messages: string) =>
  JSON.stringify(good).replace(/"messages":.*?]/, `"messages":${messages}`);
/** Levels of its body. */
const nested = (levels: number) => withMessages('['.repeat(levels - 1) + ']'.repeat(levels - 1));
const values = (count: number) => withMessages(`[${'1,'.repeat(count)}1]`);
const invalidText = Buffer.concat([
  Buffer.from(withMessages('["')).subarray(0, -2),
  Buffer.from([0xff]),
  Buffer.from('"]}}'),
]);

describe('checkLine', () => {
  it.each([
    ['a line with all fields', good, 'demo'],
    ['one with fields that nobody reads', { ...good, extra: 1 }, 'demo'],
    ['one without a model', { ...good, body: { messages: [] } }, undefined],
    ['one that says it does not stream', { ...good, body: { ...body, stream: false } }, 'demo'],
  ])('accepts %s', (_, line, model) => {
    expect(check(line)).toEqual({ request: { customId: 'a', model, body: line.body } });
  });

  it('accepts the line end of Windows', () => {
    expect(check(`${JSON.stringify(good)}\r`)).toHaveProperty('request');
  });

  it('accepts a body that is nested as deep as that of a request may be', () => {
    expect(check(nested(256))).toHaveProperty('request');
  });

  it.each([
    ['no JSON', '{"custom_id":', 'invalid_json_line', null],
    ['no object', '[1]', 'invalid_json_line', null],
    ['null', 'null', 'invalid_json_line', null],
    ['bytes that are not UTF-8', invalidText, 'invalid_json_line', null],
    ['lists in lists that no stack holds', nested(200_000), 'invalid_json_line', null],
    ['objects deeper than a body may have', nested(257), 'invalid_json_line', null],
    ['more values than a body may have', values(2_000_200), 'invalid_json_line', null],
    ['no custom_id', { ...good, custom_id: undefined }, 'missing_required_parameter', 'custom_id'],
    ['an empty custom_id', { ...good, custom_id: '' }, 'invalid_value', 'custom_id'],
    ['a custom_id that is a number', { ...good, custom_id: 7 }, 'invalid_value', 'custom_id'],
    ['no method', { ...good, method: undefined }, 'missing_required_parameter', 'method'],
    ['another method', { ...good, method: 'GET' }, 'invalid_value', 'method'],
    ['no url', { ...good, url: null }, 'missing_required_parameter', 'url'],
    ['another url', { ...good, url: '/v1/embeddings' }, 'url_mismatch', 'url'],
    ['no body', { ...good, body: undefined }, 'missing_required_parameter', 'body'],
    ['a body that is text', { ...good, body: '{}' }, 'invalid_value', 'body'],
    ['a body that is a list', { ...good, body: [] }, 'invalid_value', 'body'],
    ['a stream', { ...good, body: { ...body, stream: true } }, 'invalid_value', 'body.stream'],
    ['a model that is a number', { ...good, body: { model: 1 } }, 'invalid_value', 'body.model'],
    [
      'a model with a long name',
      { ...good, body: { model: 'm'.repeat(513) } },
      'invalid_value',
      'body.model',
    ],
  ])('rejects %s', (_, line, code, param) => {
    expect(check(line)).toEqual({ fault: { code, param, message: expect.stringMatching(/\.$/) } });
  });
});
