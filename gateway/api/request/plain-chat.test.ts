import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { JsonObject } from '../../../json/json-object.ts';
import { estimateTokens } from '../request-size.ts';
import { rejectRemoteMedia, rejectUnsupportedMedia } from '../validate/media.ts';
import { validateRequest } from '../validate/validate-request.ts';
import { keepRequest, normalizeRequest } from './normalize-request.ts';
import { isPlainChat } from './plain-chat.ts';

const user = { role: 'user', content: 'hi' };
const long = 'iVBORw0K'.repeat(200);

it.each<object>([
  { messages: [] },
  { model: 'm', stream: true, stream_options: { include_usage: true }, messages: [user], max_tokens: 5 },
  { temperature: null, n: 2, messages: [{ role: 'system', content: long }, user] },
])('a plain chat is %j', (fields) => {
  expect(isPlainChat(fields as JsonObject)).toBe(true);
});

it.each<object>([
  { messages: 'x' },
  { messages: [null] },
  { messages: [[]] },
  { messages: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }] },
  { messages: [{ role: 'assistant', content: null }] },
  { messages: [{ ...user, tool_calls: [] }] },
  { messages: [{ role: 'tool', content: 'x' }] },
  { messages: [{ role: 'function', content: 'x' }] },
  { messages: [{ role: 'system', content: 'x-anthropic-billing-header: cch=1;' }] },
  { messages: [user], tools: [] },
  { messages: [user], id_slot: 1 },
  { messages: [user], user: long },
  { messages: [user], stream_options: { include_usage: long } },
  { messages: [user], stream_options: null },
  { messages: [user], model: {} },
  JSON.parse('{"messages":[],"__proto__":{"tools":[]}}'),
])('no plain chat is %j', (fields) => {
  expect(isPlainChat(fields as JsonObject)).toBe(false);
});

it('a plain chat is one that validation accepts, normalization keeps, and that has no media', () => {
  const scalar = fc.oneof(fc.constantFrom('', 'x', long, null, true, 0, -1, 1e21), fc.double());
  const text = fc.oneof(
    fc.constantFrom('', long, 'x-anthropic-billing-header: a=1;', 'http://x/'),
    fc.string(),
  );
  const odd = fc.oneof(scalar, fc.object({ maxDepth: 1 }), fc.constantFrom([], [{}], {}));
  const often = <T, U>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<U>) =>
    fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: rare });
  const role = often(
    fc.constantFrom('system', 'developer', 'user', 'assistant'),
    fc.constantFrom('tool', 'function', 5),
  );
  const plain = fc.record({ role, content: often(text, odd) });
  const names = [
    'name',
    'tool_calls',
    'tool_call_id',
    'function_call',
    'reasoning_content',
    'refusal',
    'audio',
  ];
  const message = often(
    plain,
    fc.tuple(plain, fc.constantFrom(...names), odd).map(([it, name, value]) => ({ ...it, [name]: value })),
  );
  const fields = [
    'model',
    'user',
    'stream',
    'n',
    'n_cmpl',
    'max_tokens',
    'seed',
    'temperature',
    'top_k',
    'store',
  ];
  const others = [
    'tools',
    'tool_choice',
    'functions',
    'stop',
    'samplers',
    'grammar',
    'response_format',
    'reasoning_format',
  ];
  const more = [
    'modalities',
    'logit_bias',
    'id_slot',
    'input',
    'prompt',
    'content',
    'system',
    'chat_parser',
    'stream_options',
  ];
  const member = often(
    fc.tuple(fc.constantFrom(...fields), often(scalar, odd)),
    fc.tuple(fc.constantFrom(...others, ...more), odd),
  );
  let plainChats = 0;
  const request = fc.record({
    messages: fc.array(message, { maxLength: 4 }),
    members: fc.array(member, { maxLength: 4 }),
  });
  fc.assert(
    fc.property(request, ({ messages, members }) => {
      const chat = JSON.parse(JSON.stringify({ ...Object.fromEntries(members), messages })) as JsonObject;
      if (!isPlainChat(chat)) return;
      plainChats += 1;
      validateRequest(chat);
      rejectRemoteMedia(chat);
      rejectUnsupportedMedia(chat, { vision: false, audio: false });
      const body = Buffer.from(JSON.stringify(chat));
      const normalized = normalizeRequest('chat', chat, body);
      expect(normalized).toStrictEqual(keepRequest(chat, body));
      expect(normalized.body).toBe(body);
      const of = {
        fields: chat,
        shape: 'chat',
        inputs: undefined,
        bytes: body.length,
        completions: 1,
      } as const;
      expect(estimateTokens({ ...of, mayHaveMedia: false })).toEqual(
        estimateTokens({ ...of, mayHaveMedia: true }),
      );
    }),
    { numRuns: 2000 },
  );
  expect(plainChats).toBeGreaterThan(100);
});
