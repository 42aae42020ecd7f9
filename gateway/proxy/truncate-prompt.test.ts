import { describe, expect, it } from 'vitest';
import { parseRequestBody } from '../api/request/parse-request-body.ts';
import { mayNeedTruncation, promptLimit, truncatePrompt } from './truncate-prompt.ts';

const user = (content: unknown) => ({ role: 'user', content });

function request(text: string) {
  return parseRequestBody(Buffer.from(text), {
    allowRemoteMedia: false,
    shortAnswerTokens: 0,
    requiresMessages: false,
    isResponses: true,
    api: 'responses',
    shape: 'response',
    inputsField: undefined,
  });
}

const withInput = (input: unknown, more = '') =>
  request(`{${more}"truncation":"auto","input":${JSON.stringify(input)}}`);
/** A hundred tokens for each item. */
const count = async (body: Buffer) => JSON.parse(body.toString()).input.length * 100;

describe('promptLimit', () => {
  it.each([
    [100, 900],
    [600, 500],
    [-1, 500],
    [undefined, 500],
  ])('with max_output_tokens %j of a context of 1000 is %s', (max, limit) => {
    const fields = max === undefined ? '' : `"max_output_tokens":${max},`;
    expect(promptLimit(withInput([user('x')], fields), 1000)).toBe(limit);
  });
});

describe('truncatePrompt', () => {
  it('leaves a prompt that fits byte for byte', async () => {
    const whole = withInput([user('a'), user('b')]);
    expect(await truncatePrompt(whole, 1000, count)).toEqual({ request: whole, tokens: 200 });
  });

  it('keeps the digits of all numbers, and estimates what is left', async () => {
    const long = withInput(Array(9).fill(user('a')), '"seed":9223372036854775807,"max_output_tokens":1.0,');
    const { request: fitted, tokens } = await truncatePrompt(long, 600, count);
    expect(tokens).toBe(500);
    expect(fitted.estimate.input).toBe(500);
    expect(fitted.body.toString()).toContain('"seed":9223372036854775807,"max_output_tokens":1.0,');
    expect(JSON.parse(fitted.body.toString()).input).toHaveLength(5);
  });

  it('counts a prompt with an image, instead of taking its bytes for text', async () => {
    const image = { type: 'input_image', image_url: `data:image/png;base64,${'A'.repeat(2_000_000)}` };
    const seen: number[] = [];
    const counting = async (body: Buffer) => {
      seen.push(body.length);
      return count(body);
    };
    const whole = withInput([user([image]), user('b')]);
    expect((await truncatePrompt(whole, 3000, counting)).request).toBe(whole);
    expect(seen).toHaveLength(1);
  });

  it('drops the first rounds of calls of one turn that is too long for itself', async () => {
    const round = (id: number) => [
      { type: 'function_call', call_id: `${id}`, name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: `${id}`, output: 'x'.repeat(20) },
    ];
    const rounds = Array.from({ length: 10 }, (_, id) => round(id)).flat();
    const long = withInput(
      [user('old'), { role: 'assistant', content: 'y' }, user('task'), ...rounds],
      '"max_output_tokens":100,',
    );
    const { request: fitted, tokens } = await truncatePrompt(long, 1000, count);
    expect(tokens).toBeLessThanOrEqual(900);
    const [message, ...rest] = JSON.parse(fitted.body.toString()).input;
    expect([message.content, rest.length % 2, rest.length > 4]).toEqual(['task', 0, true]);
    expect(rest).toMatchObject(rounds.slice(-rest.length).map(({ type, call_id }) => ({ type, call_id })));
    expect(fitted.estimate.input).toBe(tokens);
  });

  it('cannot shorten a text', async () => {
    const whole = withInput('a text');
    expect(await truncatePrompt(whole, 100, async () => 5000)).toEqual({ request: whole, tokens: 5000 });
  });
});

it('only what may be too long has to be counted', () => {
  const short = withInput([user('x'.repeat(100))], '"max_output_tokens":10,');
  expect(mayNeedTruncation(short, 1000)).toBe(false);
  expect(mayNeedTruncation(withInput([user('x'.repeat(900))], '"max_output_tokens":10,'), 900)).toBe(true);
});
