import { afterAll, beforeAll, expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { type RecordedEngine, recordEngine } from '../../harness/record-engine.ts';
import {
  demoRequest,
  type ResponsesClient,
  responsesClient,
  textOf,
} from '../../harness/responses-client.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { type LlamaServer, startLlamaServer } from '../../services/start-llama-server.ts';

let llama: LlamaServer;
let engine: RecordedEngine;
let corral: TestGateway;
let client: ResponsesClient;
beforeAll(async () => {
  llama = await startLlamaServer({ slots: 1 });
  engine = await recordEngine(llama.backend);
  corral = await startTestGateway({ backend: engine.backend, env: { STORE: 'on' } });
  client = responsesClient(corral.origin, corral.secret);
});
afterAll(async () => {
  await corral.stop();
  await engine[Symbol.asyncDispose]();
  await llama.stop();
});

const tools = [
  {
    type: 'function',
    name: 'count_horses',
    strict: true,
    parameters: {
      type: 'object',
      properties: { gate: { type: 'string', enum: ['north', 'south'] } },
      required: ['gate'],
      additionalProperties: false,
    },
  },
];
const user = (content: string) => ({ role: 'user', content });

interface Turn {
  readonly id: string;
  /** Everything before the next turn, as the client has sent and seen it. */
  readonly items: readonly object[];
}

/** Takes a turn, and compares it. */
async function takeTurn(
  before: Turn | undefined,
  input: readonly object[],
  fields: object = {},
  isCompared = true,
): Promise<Turn> {
  const more = { temperature: 0, max_output_tokens: 10, ...fields };
  const previous = before === undefined ? { tools } : { previous_response_id: before.id };
  const { id, output, usage } = await client.create({ ...more, ...previous, input });
  const items = [...(before?.items ?? []), ...input];
  if (isCompared) await compare({ ...more, tools, input: items, store: false }, usage);
  return { id, items: [...items, ...output] };
}

/**
 * Sends the same again as a client does that sends the whole conversation: the engine gets the same, and finds all of its
 * prompt in its cache.
 */
async function compare(request: object, usage: { readonly input_tokens: number }): Promise<void> {
  const { usage: again } = await client.create(request);
  const [stateful, stateless] = engine.received.slice(-2).map(withoutIds);
  expect(stateful).toEqual(stateless);
  expect(again.input_tokens).toBe(usage.input_tokens);
  expect(again.input_tokens_details.cached_tokens).toBe(usage.input_tokens - 1);
}

/** The request to the engine, without the ids that items get when they are stored. */
function withoutIds(body: string) {
  const { store, ...request } = JSON.parse(body) as { store?: boolean; input: { id?: string }[] };
  return { ...request, input: request.input.map(({ id, ...item }) => item) };
}

/** Compares every fifth. Most turns are messages; some think, and some call a tool whose output is the next input. */
async function takeTurns(count: number): Promise<Turn[]> {
  const turns: Turn[] = [];
  let now: Turn | undefined;
  for (let n = 0; n < count; n++) {
    const call = now?.items.at(-1) as { type?: string; call_id?: string } | undefined;
    const input =
      call?.type === 'function_call'
        ? [{ type: 'function_call_output', call_id: call.call_id, output: `${n} horses` }]
        : [user(n % 10 === 3 ? `${n}: think` : `${n}: keys`)];
    const fields = {
      ...(n % 10 === 3 && { max_output_tokens: 200 }),
      ...(n % 10 === 6 && { tool_choice: 'required', max_output_tokens: 100 }),
    };
    now = await takeTurn(now, input, fields, n % 5 === 4 || n > 45);
    turns.push(now);
  }
  return turns;
}

const typesOf = ({ items }: Turn) => new Set(items.map((item) => (item as { type?: string }).type));
let turns: Turn[];

it('the engine gets what it gets from a client that sends the whole conversation', async () => {
  turns = await takeTurns(50);
  const last = turns.at(-1) as Turn;
  expect(last.items.length).toBeGreaterThan(100);
  expect(typesOf(last)).toEqual(
    new Set([undefined, 'message', 'reasoning', 'function_call', 'function_call_output']),
  );
});

it('each turn may be continued any number of times, and no branch sees another', async () => {
  for (const depth of [50, 25, 1]) {
    const parent = turns[depth - 1] as Turn;
    const left = await takeTurn(parent, [user('a left turn')]);
    const right = await takeTurn(parent, [user('a right turn')]);
    expect(JSON.stringify(right.items)).not.toContain('a left turn');
    await takeTurn(left, [user('further left')]);
    expect(engine.received.at(-1)).not.toContain('a right turn');
  }
});

it('a response in the middle may be deleted: the turns after it stay whole', async () => {
  const { id } = turns[24] as Turn;
  expect((await client.send(`DELETE /v1/responses/${id}`)).status).toBe(200);
  expect((await client.send(`GET /v1/responses/${id}`)).status).toBe(404);
  await takeTurn(turns[49] as Turn, [user('49: keys')]);
  const refused = await client.send(
    'POST /v1/responses',
    demoRequest({ input: 'keys', previous_response_id: id }),
  );
  expect([refused.status, refused.body.error.code]).toEqual([400, 'previous_response_not_found']);
});

it('instructions are not inherited, tools are unless others are given', async () => {
  const first = await client.create({
    input: 'keys',
    instructions: 'Be an UNKIND pirate.',
    tools,
    max_output_tokens: 5,
  });
  const second = await client.create({ input: 'emoji', previous_response_id: first.id });
  expect([second.instructions, second.tools]).toEqual([null, first.tools]);
  expect(textOf(second)).toBe(storyText('emoji'));
  expect(engine.received.at(-1)).not.toContain('UNKIND');
  const third = await client.create({ input: 'keys', previous_response_id: second.id, tools: [] });
  expect(third.tools).toEqual([]);
  expect(engine.received.at(-1)).not.toContain('count_horses');
});
