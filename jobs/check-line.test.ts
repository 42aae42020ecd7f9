import { describe, expect, it } from 'vitest';
import { checkLine } from './check-line.ts';

const endpoint = '/v1/chat/completions';
const body = { model: 'demo', messages: [{ role: 'user', content: 'hi' }] };
const good = { custom_id: 'a', method: 'POST', url: endpoint, body };
const check = (line: unknown) =>
  checkLine(Buffer.from(typeof line === 'string' ? line : JSON.stringify(line)), endpoint);

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

  it.each([
    ['no JSON', '{"custom_id":', 'invalid_json_line', null],
    ['no object', '[1]', 'invalid_json_line', null],
    ['null', 'null', 'invalid_json_line', null],
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
  ])('rejects %s', (_, line, code, param) => {
    expect(check(line)).toEqual({ fault: { code, param, message: expect.stringMatching(/\.$/) } });
  });
});
