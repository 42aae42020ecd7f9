import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BackendScenario } from '../../fakes/start-fake-backend.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { askCached } from '../../harness/ask-cached.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';

const keys = {
  a: 'sk-a-0123456789abcdefghijklmnopqrstuvwxyz012345',
  b: 'sk-b-0123456789abcdefghijklmnopqrstuvwxyz012345',
};
let served = 0;

/** Answers with the body that it has received, as text, and with a number that no other answer has. */
const repeatBody: BackendScenario = ({ body }, response) => {
  served += 1;
  const message = { role: 'assistant', content: JSON.stringify({ body, served }) };
  const chat = {
    id: 'chatcmpl-abc',
    created: 1,
    model: 'fake-model',
    choices: [{ index: 0, message, finish_reason: 'stop' }],
  };
  response.setHeader('content-type', 'application/json').end(JSON.stringify(chat));
};

let fakeBackend: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fakeBackend = await startFakeBackend(repeatBody);
  corral = await startTestGateway({
    backend: fakeBackend.backend,
    env: { RESPONSE_CACHE: 'memory', SHORT_ANSWER_TOKENS: '1000000' },
    keys: Object.entries(keys)
      .map(([id, secret]) => `${id}:${secret}`)
      .join('\n'),
  });
});
afterAll(async () => {
  await corral?.stop();
  await fakeBackend?.stop();
});

/** Few values of each field, so that requests often repeat, and often differ in one field only. */
const fields = fc.record(
  {
    messages: fc.constantFrom(
      [{ role: 'user', content: 'x' }],
      [{ role: 'user', content: 'y' }],
      [{ role: 'system', content: 'x' }],
      [{ role: 'user', content: [{ type: 'text', text: 'x' }] }],
      [{ role: 'user', content: 'x', name: 'n' }],
      [
        { role: 'user', content: 'x' },
        { role: 'assistant', content: 'z' },
        { role: 'user', content: 'x' },
      ],
    ),
    temperature: fc.constantFrom(0, 0, 0, 0.5, null),
    model: fc.constantFrom('fake-model', 'another-name'),
    max_tokens: fc.constantFrom(5, 6),
    stop: fc.constantFrom(['a'], ['b'], ['a', 'b'], ['b', 'a'], 'a', null),
    seed: fc.constantFrom(1, 2, 9007199254740991),
    top_k: fc.constantFrom(1, 40),
    logit_bias: fc.constantFrom({ 5: 1 }, { 5: 2 }, { 6: 1 }),
    response_format: fc.constantFrom(
      { type: 'json_object' },
      {
        type: 'json_schema',
        json_schema: { name: 's', schema: { type: 'object', properties: { a: {}, b: {} } } },
      },
      {
        type: 'json_schema',
        json_schema: { name: 's', schema: { type: 'object', properties: { b: {}, a: {} } } },
      },
      {
        type: 'json_schema',
        json_schema: { name: 's', schema: { type: 'object', properties: { 2: {}, 1: {} } } },
      },
    ),
    chat_template_kwargs: fc.constantFrom({ enable_thinking: true }, { enable_thinking: false }),
    user: fc.constantFrom('u', 'v'),
    x_unknown: fc.constantFrom(1, '1', true, null),
    lora: fc.constantFrom([{ id: 0, scale: 1 }], [{ id: 0, scale: 0.5 }]),
    n: fc.constantFrom(1, 1, 2),
  },
  { requiredKeys: ['messages'] },
);
/** How it is sent: by whom, and in which order of its members. */
const sending = fc.record({ key: fc.constantFrom('a', 'b'), seed: fc.nat(), pretty: fc.boolean() });
/** A request, and others that differ from it in one field each. */
const family = fc
  .tuple(fields, fc.array(fc.tuple(fields, fc.nat(), sending), { minLength: 12, maxLength: 12 }))
  .map(([base, others]) =>
    others.map(([other, n, how]) => {
      const names = Object.keys({ ...base, ...other });
      const name = names[n % names.length] as keyof typeof other;
      return { ...how, fields: n % 3 === 0 ? base : { ...base, [name]: other[name] } };
    }),
  );
type Sent = (typeof family extends fc.Arbitrary<infer T> ? T : never) extends readonly (infer R)[]
  ? R
  : never;

it('whatever the fields, the answer is one to exactly this request, of this key', async () => {
  /** Who has got which answer, by its number. */
  const owners = new Map<number, string>();
  let hits = 0;
  const check = async ({ key, fields, seed, pretty }: Sent) => {
    const members = Object.entries(fields).map((member, n) => [(seed * (n + 7)) % 101, member] as const);
    const shuffled = Object.fromEntries(
      members.sort(([one], [two]) => one - two).map(([, member]) => member),
    );
    const body = JSON.stringify(shuffled, null, pretty ? 1 : 0);
    const { status, cache, text } = await askCached(corral.origin, keys[key], body);
    expect(status, text).toBe(200);
    const answer = JSON.parse(text) as { choices: { message: { content: string } }[] };
    for (const { message } of answer.choices) {
      const { body: read, served } = JSON.parse(message.content) as { body: string; served: number };
      const got = JSON.parse(read) as Record<string, unknown>;
      expect(isDeepStrictEqual(compared(got), compared(fields)), `${body}\n${read}`).toBe(true);
      // What is compared so has no order.
      expect(JSON.stringify(got.response_format)).toBe(JSON.stringify(fields.response_format));
      expect(owners.get(served) ?? key).toBe(key);
      owners.set(served, key);
    }
    if (cache === 'hit') hits += 1;
    if (fields.temperature !== 0 || fields.n === 2) expect(cache).toBe('bypass');
  };
  await fc.assert(
    fc.asyncProperty(family, async (requests) => {
      await Promise.all(requests.map(check));
      await Promise.all(requests.map(check));
    }),
    { numRuns: 40, endOnFailure: true },
  );
  // How many there are is chance; none would prove nothing.
  expect(hits).toBeGreaterThan(20);
});

/** Without what is written differently for the engine. Null means that a field is not set, and some are removed. */
const compared = (object: object) =>
  Object.fromEntries(
    Object.entries(object).filter(
      ([name, value]) => value !== null && value !== undefined && !rewritten.includes(name),
    ),
  );
const rewritten = ['model', 'n', 'stream', 'stream_options', 'lora'];
